"""Words for time: what people write becomes an aware moment in UTC, or one clear error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from include.core.clock import compact, now, parse_moment, write_seconds
from include.core.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T03:00", datetime(2026, 11, 20, 3, tzinfo=UTC)),
        ("2026-11-20T03:00:00Z", datetime(2026, 11, 20, 3, tzinfo=UTC)),
        ("2026-11-20T03:00:00+02:00", datetime(2026, 11, 20, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_as_people_write_it(text, moment):
    parsed = parse_moment(text)
    assert (parsed, parsed.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "20/11/2026"])
def test_what_is_no_moment_is_one_clear_error(text):
    with pytest.raises(SettingsError, match="is not a date or time"):
        parse_moment(text)


def test_the_compact_form_is_in_utc_and_sorts_by_time():
    evening = datetime(2026, 11, 20, 23, tzinfo=timezone(timedelta(hours=-5)))
    assert compact(evening) == "20261121T040000Z"
    assert compact(evening) > compact(evening - timedelta(seconds=1))


def test_now_is_aware():
    assert now().tzinfo is UTC


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.44, "0.4 s"), (9.96, "10.0 s"), (36.4, "36 s"), (119, "119 s"), (190, "3 min 10 s")]
)
def test_durations_are_written_as_people_write_them(seconds, written):
    assert write_seconds(seconds) == written
