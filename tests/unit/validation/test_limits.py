"""The file of limits: what is committed can be used, what cannot be used is told by its name."""

from __future__ import annotations

import pytest

from include.core.errors import SettingsError
from include.validation.limits import FILE, load_limits


def test_the_committed_limits_can_be_used():
    limits = load_limits()
    for table in ("subscribers", "articles", "reading_events"):
        of = limits.of(table)
        assert of.block_below < of.warn_below < 1 < of.warn_above < of.block_above, table


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("block_below = 0.4", "cannot be read"),
        ("null_share = 3", "subscribers.null_share"),
        ("blok_below = 0.4", "subscribers.blok_below"),
        ("stale_hours = nan", "subscribers.stale_hours"),
        ("words = ", "Invalid value"),
        ('null_share = { summary = "much" }', "subscribers.null_share.summary"),
        ("null_share = { summary = 1.5 }", "subscribers.null_share.summary"),
    ],
)
def test_a_wrong_line_is_one_error_that_names_it(tmp_path, line, told):
    path = tmp_path / "limits.toml"
    path.write_text(FILE.read_text().replace("[subscribers]\n", f"[subscribers]\n{line}\n"))
    with pytest.raises(SettingsError) as caught:
        load_limits(path)
    assert told in caught.value.fact
