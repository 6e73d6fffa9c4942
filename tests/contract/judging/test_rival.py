"""The version to beat, by the ledger: today's champion for today, and for a past day the one in force on that day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.run import Run
from include.judging.rival import choose_incumbent
from tests.worlds.reigns import ask_for, crown

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def chosen(settings, kind="backfill", as_of=NOW, form=None, run_id="retrain/1"):
    with connect(settings) as warehouse:
        return choose_incumbent(warehouse, Run(settings, run_id, as_of, "ada", kind=kind, form=form or {}))


def keep(settings, name, as_of, challenger, decision="promote", chained=False, of_record=False, against=None, **about):
    """A verdict of earlier."""
    ask_for(
        settings,
        "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
        " decision, checks, metrics, chained_at, of_record_at, judged_at) values (%s, %s, %s, %s, %s, %s, %s, '[]',"
        " '{}', case when %s then now() end, case when %s then now() end, %s) returning 1",
        name, as_of, about.get("run_id", "r"), challenger, against, about.get("seq", 0), decision, chained, of_record,
        about.get("at", NOW),
    )  # fmt: skip
    return name


def test_a_backfill_meets_the_champion_of_its_day_and_not_a_later_one(settings):
    crown(settings, 1, NOW - 2 * DAY)
    crown(settings, 2, NOW + DAY)
    found = chosen(settings)
    assert (found.version, found.seq, found.is_current, found.is_past, found.is_of_record) == (1, 1, False, True, False)
    assert found.told == "Judged against v1, the champion as of 2026-11-20 03:00 UTC (since 2026-11-18 03:00 UTC)."


def test_a_promotion_at_the_moment_itself_counts_and_one_a_moment_later_does_not(settings):
    crown(settings, 1, NOW)
    crown(settings, 2, NOW + timedelta(microseconds=1))
    assert chosen(settings).version == 1


def test_after_a_rollback_the_version_that_was_gone_back_to_is_the_one_to_beat(settings):
    crown(settings, 1, NOW - 3 * DAY)
    crown(settings, 2, NOW - 2 * DAY)
    crown(settings, 1, NOW - DAY, action="rollback")
    crown(settings, 3, NOW + DAY)
    assert (chosen(settings).version, chosen(settings).seq) == (1, 3)


def test_before_the_first_champion_there_are_the_baselines_alone(settings):
    crown(settings, 1, NOW + DAY)
    found = chosen(settings)
    assert (found.version, found.seq, found.is_current) == (None, 0, False)
    assert found.told == "Judged against the baselines alone: as of 2026-11-20 03:00 UTC there was no champion."


def test_a_backfill_under_a_champion_that_has_not_changed_since_meets_todays(settings):
    crown(settings, 1, NOW - DAY)
    assert (chosen(settings).is_current, chosen(settings).is_past) == (True, True)


@pytest.mark.parametrize("kind", ["scheduled", "manual", "event", "command"])
def test_a_run_of_today_meets_todays_champion_though_it_came_minutes_after_its_moment(settings, kind):
    crown(settings, 1, NOW + timedelta(minutes=5), verdict_id=keep(settings, "v", NOW, 1))
    found = chosen(settings, kind)
    assert (found.version, found.seq, found.is_current, found.is_past) == (1, 1, True, False)
    assert found.told == "Judged against v1, champion since 2026-11-20 03:05 UTC."
    assert chosen(settings, "backfill").version is None


def test_without_any_champion_a_run_of_today_says_so(settings):
    assert chosen(settings, "scheduled").told == "Judged against the baselines alone: there is no champion yet."


@pytest.mark.parametrize("kind", ["manual", "command"])
def test_a_past_day_by_hand_meets_the_champion_of_that_day(settings, kind):
    crown(settings, 1, NOW - 2 * DAY, verdict_id=keep(settings, "first", NOW - 2 * DAY, 1))
    crown(settings, 2, NOW + DAY, verdict_id=keep(settings, "later", NOW + DAY, 2))
    assert (chosen(settings, kind).version, chosen(settings, kind).is_current) == (1, False)


def test_a_day_before_a_rollback_is_past(settings):
    crown(settings, 1, NOW - 2 * DAY, verdict_id=keep(settings, "first", NOW - 2 * DAY, 1))
    crown(settings, 2, NOW - DAY, verdict_id=keep(settings, "second", NOW - DAY, 2))
    crown(settings, 1, NOW + DAY, action="rollback")
    assert (chosen(settings, "manual").version, chosen(settings, "manual").seq) == (2, 2)


def test_a_log_of_long_ago_is_worked_through_against_the_newest_champion(settings):
    today = NOW + 300 * DAY
    crown(settings, 1, today, verdict_id=keep(settings, "first", NOW - DAY, 1))
    crown(settings, 2, today, verdict_id=keep(settings, "second", NOW, 2))
    crown(settings, 1, today, action="rollback")
    assert chosen(settings, "command", NOW).version == 1
    assert chosen(settings, "command", NOW + DAY).version == 1
    assert chosen(settings, "command", NOW - timedelta(hours=1)).version is None  # v2 has seen the answers


def test_a_run_that_is_judged_again_meets_the_version_of_its_first_verdict(settings):
    crown(settings, 1, NOW + timedelta(minutes=5))
    about = {"run_id": "retrain/scheduled__1", "against": 1, "seq": 1, "of_record": True}
    keep(settings, "first", NOW, 2, at=NOW + timedelta(minutes=20), **about)
    keep(settings, "again", NOW, 3, at=NOW + 9 * DAY, **{**about, "against": 9, "seq": 9})
    crown(settings, 3, NOW + DAY)
    for kind in ("scheduled", "backfill"):  # a backfill that clears a scheduled run keeps its name
        found = chosen(settings, kind, run_id="retrain/scheduled__1")
        assert (found.version, found.seq, found.is_current, found.is_of_record) == (1, 1, False, True)
        assert found.told == "Judged against v1 as when this run was first judged, on 2026-11-20 03:20 UTC."


# chained backfills

CHAINED = {"chained": True}


def test_in_a_chained_backfill_the_winner_of_the_day_before_is_the_one_to_beat(settings):
    crown(settings, 1, NOW - 3 * DAY)
    keep(settings, "before", NOW - 2 * DAY, 4, chained=True)
    keep(settings, "won", NOW - DAY, 2, chained=True)
    keep(settings, "other", NOW - DAY / 2, 3)
    found = chosen(settings, form=CHAINED)
    assert (found.version, found.seq, found.is_current) == (2, 1, False)
    assert found.told == (
        "Judged against v2, which the chained backfill would have made champion on 2026-11-19 03:00 UTC."
    )
    assert found.apart
    assert chosen(settings).version == 1


def test_a_chained_day_that_kept_hands_on_the_version_that_it_kept(settings):
    keep(settings, "won", NOW - 2 * DAY, 1, chained=True)
    for decision in ("keep", "ask"):
        keep(settings, decision, NOW - DAY, 2, decision, chained=True)
    assert chosen(settings, form=CHAINED).version == 1


def test_a_chained_day_counts_by_its_last_verdict(settings):
    keep(settings, "won", NOW - DAY, 1, chained=True)
    keep(settings, "kept", NOW - DAY, 1, "keep", chained=True)
    assert chosen(settings, form=CHAINED).version is None


def test_a_real_champion_that_came_after_a_chained_day_is_the_one_to_beat(settings):
    keep(settings, "won", NOW - 2 * DAY, 1, chained=True)
    crown(settings, 2, NOW - DAY)
    assert chosen(settings, form=CHAINED).version == 2


def test_a_chained_winner_that_was_promoted_is_the_champion_to_follow(settings):
    crown(settings, 1, NOW + 300 * DAY, verdict_id=keep(settings, "won", NOW - DAY, 1, chained=True))
    found = chosen(settings, form=CHAINED)
    assert (found.version, found.seq, found.is_current, found.apart) == (1, 1, True, ())


def test_retention_keeps_the_winner_of_the_newest_chained_day(settings):
    keep(settings, "won", NOW - DAY, 1, chained=True)
    claims = ask_for(settings, "select why from ops.version_claims where version = 1")
    assert claims == [("won a day of the newest chained backfill",)]
