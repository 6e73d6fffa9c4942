"""As of when, as whom and why a run works, for every way a run can start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.core.errors import DaybreakError, FormRefused, SettingsError
from tests.dags.contexts import TICK, TRIGGERED, context, event


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr("include.core.clock.now", lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))


SCHEDULED = context("scheduled", interval_end=TICK, run_after=TICK)
BACKFILL = context("backfill", interval_end=TICK - timedelta(days=5), user="ada")
BY_HAND = context("manual", user="ada")
BY_HAND_WITH_A_DATE = context("manual", interval_end=datetime(2026, 11, 12, 3, tzinfo=UTC), user="ada")
BY_FORM = context("manual", user="ada", as_of="2026-11-10T04:00:00+01:00", reason="Tuesday was corrected")
BY_EVENT = context(
    "asset_triggered", events=[event({"as_of": "2026-11-20T08:30:00+00:00", "reason": "drift in 2 of 3"})]
)
BY_BARE_EVENT = context("asset_triggered", events=[event({})])
BY_TWO_EVENTS = context(
    "asset_triggered",
    events=[
        event({"as_of": "2026-11-20T08:30:00Z", "reason": "a"}),
        event({"as_of": "2026-11-20T09:30:00+02:00", "reason": "b"}),
    ],
)


@pytest.mark.parametrize(
    ("run", "moment"),
    [
        (SCHEDULED, TICK),
        (BACKFILL, TICK - timedelta(days=5)),
        (BY_HAND, TRIGGERED),
        (BY_HAND_WITH_A_DATE, datetime(2026, 11, 12, 3, tzinfo=UTC)),
        (BY_FORM, datetime(2026, 11, 10, 3, tzinfo=UTC)),
        (BY_EVENT, datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        (BY_BARE_EVENT, TRIGGERED),
        (BY_TWO_EVENTS, datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
    ],
    ids=["scheduled", "backfill", "manual", "manual with a date", "form", "event", "bare event", "two events"],
)
def test_as_of(run, moment):
    from daybreak_airflow.runs import as_of

    assert as_of(run) == moment
    assert as_of(run).utcoffset() == timedelta(0)


def test_the_form_beats_the_interval():
    from daybreak_airflow.runs import as_of

    assert as_of(context("manual", interval_end=TICK, as_of="2026-11-01")) == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (context("manual", as_of="2026-11-20T13:00:00Z"), FormRefused),
        (context("manual", interval_end=datetime(2027, 1, 1, tzinfo=UTC), start=TRIGGERED), FormRefused),
        (context("asset_triggered", events=[event({"as_of": "2027-01-01"})]), DaybreakError),
    ],
    ids=["form", "date", "event"],
)
def test_a_moment_yet_to_come_is_refused(run, error):
    from daybreak_airflow.runs import as_of

    with pytest.raises(DaybreakError, match=r"in the future.* Hint: ") as refused:
        as_of(run)
    assert type(refused.value) is error


def test_a_clock_that_is_a_little_ahead_is_not_the_future():
    from daybreak_airflow.runs import as_of

    assert as_of(context("manual", as_of="2026-11-20T09:21:00Z"))


def test_a_backfill_does_not_take_its_moment_from_the_form():
    from daybreak_airflow.runs import as_of

    with pytest.raises(FormRefused, match="all of its runs would work as of the same moment"):
        as_of(context("backfill", interval_end=TICK, as_of="2026-11-01"))


def test_a_moment_that_is_none_names_itself():
    from daybreak_airflow.runs import as_of

    with pytest.raises(SettingsError, match="'soon' is not a date"):
        as_of(context("asset_triggered", events=[event({"as_of": "soon"})]))


@pytest.mark.parametrize(
    ("run", "may"),
    [
        (SCHEDULED, True),
        (BY_HAND, True),
        (BY_EVENT, True),
        (BACKFILL, False),
        (context("backfill", interval_end=TICK, mode="enforce"), False),
        (context("backfill", interval_end=TICK, mode="enforce", confirm="publish"), True),
    ],
)
def test_only_a_backfill_has_to_ask_to_go_live(run, may):
    from daybreak_airflow.runs import may_go_live

    assert may_go_live(run) is may


@pytest.mark.parametrize(
    ("run", "how"), [(SCHEDULED, "scheduled"), (BY_HAND, "manual"), (BACKFILL, "backfill"), (BY_EVENT, "event")]
)
def test_how_it_was_started(run, how):
    from daybreak_airflow.runs import kind

    assert kind(run) == how


def test_a_replay_is_of_a_kind_of_its_own_and_changes_nothing_live():
    from daybreak_airflow.runs import kind, may_go_live

    replay = context("manual", user="ada", retrain=True)
    replay["dag_run"].dag_id = "replay_quarantine"
    assert (kind(replay), may_go_live(replay)) == ("replay", False)


def test_of_a_form_only_what_was_filled_in_is_kept(monkeypatch, tmp_path):
    from daybreak_airflow.runs import current_run

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    filled = context("backfill", interval_end=TICK, model=None, reason="", mode="dry_run", chained=False)
    assert current_run(filled).form == {"mode": "dry_run", "chained": False}


@pytest.mark.parametrize(
    ("run", "who"), [(SCHEDULED, "schedule"), (BY_HAND, "ada"), (BACKFILL, "ada"), (BY_EVENT, "event")]
)
def test_actor(run, who):
    from daybreak_airflow.runs import actor

    assert actor(run) == who


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (SCHEDULED, "scheduled run"),
        (BY_HAND, "manual run"),
        (BY_FORM, "Tuesday was corrected"),
        (BY_EVENT, "drift in 2 of 3"),
        (BY_TWO_EVENTS, "a; b"),
        (BY_BARE_EVENT, "asset triggered run"),
    ],
)
def test_reason(run, why):
    from daybreak_airflow.runs import reason

    assert reason(run) == why


def test_the_pipeline_is_told_all_of_it(monkeypatch, tmp_path):
    from daybreak_airflow.runs import current_run

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    run = current_run(BY_FORM)
    assert (run.run_id, run.actor, run.reason) == ("retrain/manual__1", "ada", "Tuesday was corrected")
    assert (run.mode, run.kind, run.may_go_live) == ("enforce", "manual", True)
    assert run.form == {"as_of": "2026-11-10T04:00:00+01:00", "reason": "Tuesday was corrected"}
    assert run.as_of == datetime(2026, 11, 10, 3, tzinfo=UTC)
    assert run.settings.home == tmp_path
