"""Which scheduled moments are gaps, and how they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.operations.gaps import compare, list_moments

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOURS = [FIRST + number * HOUR for number in range(5)]


def gaps(*states):
    """(kind, first, last) of the gaps, given the states of the runs of each hour."""
    runs = [(moment, state) for moment, of_hour in zip(HOURS, states, strict=True) for state in of_hour]
    return [(gap.kind, gap.first, gap.last, gap.count) for gap in compare("recommend", HOURS, runs)]


def test_a_schedule_has_both_its_ends():
    assert list_moments("0 * * * *", FIRST, FIRST + 4 * HOUR) == HOURS
    assert list_moments("0 3 * * *", FIRST + HOUR, FIRST + 20 * HOUR) == []


def test_moments_in_a_row_are_one_gap_and_another_kind_begins_a_new_one():
    assert gaps(["success"], [], [], ["failed"], ["success"]) == [
        ("missing", HOURS[1], HOURS[2], 2),
        ("failed", HOURS[3], HOURS[3], 1),
    ]


@pytest.mark.parametrize("states", [["failed", "success"], ["success", "failed"], ["failed", "running"], ["queued"]])
def test_a_moment_that_some_run_has_done_or_is_doing_is_no_gap(states):
    assert gaps(["success"], states, ["success"], ["success"], ["success"]) == []


def test_a_gap_names_runs_moments_and_the_command_that_closes_it():
    (gap,) = compare("retrain", [FIRST], [])
    assert gap.sentence == "retrain: 1 run did not start, as of 2026-11-20 03:00 UTC."
    assert gap.command == "bin/daybreak gaps --fix retrain"
    (gap,) = compare("retrain", HOURS, [(hour, "failed") for hour in HOURS])
    assert gap.sentence == "retrain: 5 runs failed, as of 2026-11-20 03:00 to 2026-11-20 07:00 UTC."
