"""Backfills as Airflow's own tables and the run record have them, and the one report at their end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.errors import DaybreakError
from include.operations import backfill_report
from include.operations.backfills import find_backfill, is_last_day
from include.operations.runs import find_runs
from include.operations.sentinel.rounds import Sentinel
from include.operations.status_page.facts import find_reports
from tests.conftest import reset_warehouse
from tests.parts import cli

NIGHT = datetime(2026, 11, 20, 3, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
NOW = NIGHT + 5 * DAY
LEFT = ("already exists", "in flight")
RAW = {"subscribers": 100, "articles": 200, "reading_events": 5000}


@pytest.fixture
def settings(airflow):
    """An installation whose Airflow has run nothing yet."""
    reset_warehouse(airflow)
    with connect(airflow, "airflow") as database:
        database.execute("truncate dag, dag_run, backfill, backfill_dag_run cascade")
    return airflow


def file_backfill(settings, number, days, dag_id="retrain", ended_at=NOW, **form):
    """A backfill in Airflow over days: moment -> the state of its run, why there is none, or None if it was deleted."""
    with connect(settings, "airflow") as database:
        database.execute(
            "insert into backfill (id, dag_id, from_date, to_date, dag_run_conf, is_paused, reprocess_behavior,"
            " max_active_runs, created_at, completed_at, updated_at, triggering_user_name)"
            " values (%s, %s, now(), now(), %s, false, 'none', 1, %s, %s, now(), 'ada')",
            [number, dag_id, json.dumps(form), NOW - DAY, ended_at],
        )
        for place, (moment, state) in enumerate(days.items(), 1):
            row = None if state in (None, *LEFT) else run(database, dag_id, moment, state, number)
            database.execute(
                "insert into backfill_dag_run (backfill_id, dag_run_id, exception_reason, logical_date, sort_ordinal)"
                " values (%s, %s, %s, %s, %s)",
                [number, row, state if state in LEFT else None, moment - DAY, place],
            )


def run(database, dag_id, moment, state, backfill=None):
    """A run; Airflow cancels one that waits by calling it failed, without an end."""
    known_as, ended_at = ("failed", None) if state == "cancelled" else (state, moment)
    return database.execute(
        "insert into dag_run (dag_id, run_id, run_type, logical_date, run_after, data_interval_end, state, conf,"
        " backfill_id, end_date, log_template_id) values (%s, %s, 'backfill', %s, %s, %s, %s, '{}', %s, %s,"
        " (select min(id) from log_template)) returning id",
        [dag_id, f"backfill__{moment.isoformat()}", moment - DAY, moment, moment, known_as, backfill, ended_at],
    ).fetchone()[0]


def record(settings, moment, *stages, dag_id="retrain", error=None, mode="dry_run"):
    """Stages of a day's run, each a name, an id and facts; with an error, the last one failed."""
    with connect(settings) as warehouse:
        for place, (name, made, facts) in enumerate(stages):
            has_failed = error and place == len(stages) - 1
            warehouse.execute(
                "insert into ops.runs (run_id, stage, as_of, status, started_at, finished_at, kind, mode, actor, error,"
                " reference) values (%s, %s, %s, %s, %s, %s, 'backfill', %s, 'ada', %s, %s)",
                [
                    f"{dag_id}/backfill__{moment.isoformat()}",
                    name,
                    moment,
                    "failed" if has_failed else "done",
                    NOW + place * MINUTE,
                    NOW + (place + 1) * MINUTE,
                    mode,
                    error if has_failed else None,
                    None if has_failed else json.dumps({"id": made, "facts": facts}),
                ],
            )


def judged(settings, moment, version, decision, champion=1):
    verb = {"promote": "Would have promoted", "keep": "Would have kept v1:"}[decision]
    record(
        settings,
        moment,
        ("extract", "s", RAW),
        ("validate", "c", {**RAW, "quarantined": 10}),
        ("train", str(version), {}),
        ("judge", "v", {"decision": decision, "champion_version": champion, "sentence": f"{verb} v{version}."}),
    )


@pytest.fixture
def three_days(settings):
    """A backfill of three days: the first would have been promoted, the second failed, the third was kept."""
    file_backfill(settings, 7, {NIGHT: "success", NIGHT + DAY: "failed", NIGHT + 2 * DAY: "success"}, reason="a gap")
    judged(settings, NIGHT, 5, "promote", champion=None)
    record(settings, NIGHT + DAY, ("extract", "s", RAW), error="There is no row for the window. Hint: look.")
    judged(settings, NIGHT + 2 * DAY, 6, "keep")
    return settings


def mails(settings):
    with connect(settings) as warehouse:
        return warehouse.execute("select severity, subject, body from ops.alerts order by alert_id").fetchall()


def test_each_day_says_what_was_read_trained_and_judged_and_what_it_would_have_changed(three_days):
    found = find_backfill(three_days, "7", NOW)
    told = [(day.read, day.quarantined, day.version, day.rival, day.change, day.outcome) for day in found.days]
    assert told == [
        (5300, 10, "v5", "baselines alone", "v5 as champion", "Would have promoted v5."),
        (None, None, "", "", "", "Failed at extract: There is no row for the window."),
        (5300, 10, "v6", "v1", "nothing", "Would have kept v1: v6."),
    ]
    assert (found.mode, found.actor) == ("dry_run", "ada")


def test_the_end_is_told_once_on_a_page_and_in_a_mail_with_the_command_that_mends(three_days):
    for minute in range(3):
        backfill_report.report_ended(three_days, NOW + minute * MINUTE)
    [(severity, subject, body)] = mails(three_days)
    assert severity == "ticket"
    assert subject == "[ticket] Backfill of retrain, 2026-11-20 to 2026-11-22: 1 of 3 days failed"
    assert "1 of 3 days failed. Of 2 challengers, v5 would have become champion." in body
    assert "2026-11-20 03:00 UTC: 5,300 rows read, 10 quarantined. Would have promoted v5." in body
    assert "run `bin/daybreak backfill again 7`" in body
    page = (three_days.home / "reports" / "backfills" / "7.html").read_text()
    for part in ("1 of 3 days failed.", "bin/daybreak backfill again 7", "v5 as champion", "baselines alone", "a gap"):
        assert part in page
    [listed] = find_reports(three_days, NOW, "backfill")
    assert listed["pages"] == ["backfills/7.html"]
    assert listed["how"] == "backfill, dry run by ada"


def test_a_day_that_is_cleared_later_is_told_on_demand_and_mails_nothing(three_days):
    backfill_report.report_ended(three_days, NOW)
    with connect(three_days, "airflow") as database:
        database.execute("update dag_run set state = 'success' where state = 'failed'")
    with connect(three_days) as warehouse:
        warehouse.execute("delete from ops.runs where error is not null")
    judged(three_days, NIGHT + DAY, 8, "keep")
    backfill_report.report_ended(three_days, NOW + DAY)
    assert len(mails(three_days)) == 1
    answer = cli.say(three_days, "backfill", "report", "last")
    assert answer.code == 0
    assert "All 3 days are done. Of 3 challengers, v5 would have become champion." in answer.out


def test_a_backfill_without_a_failure_is_for_the_record(settings):
    file_backfill(settings, 3, {NIGHT: "success"}, mode="data")
    record(settings, NIGHT, ("extract", "s", RAW), ("validate", "c", {**RAW, "quarantined": 0}), mode="data")
    backfill_report.report_ended(settings, NOW)
    [(severity, subject, body)] = mails(settings)
    assert (severity, subject) == ("digest", "[digest] Backfill of retrain, 2026-11-20: The day is done")
    assert "The day is done. Data only: no features are built and nothing is trained." in body
    assert "Next step" not in body


def test_two_backfills_at_once_are_told_apart_and_one_that_goes_on_waits(settings):
    file_backfill(settings, 1, {NIGHT: "success"})
    file_backfill(settings, 2, {NIGHT: "success"}, dag_id="monitor")
    file_backfill(settings, 4, {NIGHT: "running"}, dag_id="recommend")  # cancelled, and one of its runs goes on
    file_backfill(settings, 5, {NIGHT + DAY: "queued"}, ended_at=None)
    backfill_report.report_ended(settings, NOW)
    assert sorted(subject.split(",")[0] for _, subject, _ in mails(settings)) == [
        "[digest] Backfill of monitor",
        "[digest] Backfill of retrain",
    ]
    assert "The day has not ended." in cli.say(settings, "backfill", "report", "5").out


def test_days_that_airflow_left_alone_or_lost_are_told(settings):
    with connect(settings, "airflow") as database:
        run(database, "retrain", NIGHT, "success")
        run(database, "retrain", NIGHT + DAY, "failed")
        run(database, "retrain", NIGHT + 3 * DAY, "success")
    days = {NIGHT: "already exists", NIGHT + DAY: "already exists", NIGHT + 2 * DAY: None, NIGHT + 3 * DAY: "in flight"}
    file_backfill(settings, 9, days)
    found = find_backfill(settings, "9", NOW)
    assert [day.as_of for day in found.days] == list(days)
    assert [day.state for day in found.days] == ["left", "failed", "missing", "left"]
    assert found.days[0].outcome == "Left as it was: an earlier run of this moment had succeeded."
    assert found.days[3].outcome == "Left as it was: an earlier run of this moment was going on, and has succeeded."
    assert backfill_report.conclude(found).startswith("2 of 4 days failed or have no run.")


def test_a_backfill_that_was_cancelled_is_for_the_record(settings):
    file_backfill(settings, 9, {NIGHT: "success", NIGHT + DAY: "cancelled"})
    backfill_report.report_ended(settings, NOW)
    [(severity, subject, _)] = mails(settings)
    assert severity == "digest"
    assert subject.endswith("1 of 2 days done, 0 failed, 1 cancelled")


def test_a_backfill_that_cannot_be_reported_holds_up_no_other(three_days, monkeypatch):
    file_backfill(three_days, 8, {NIGHT + 9 * DAY: "success"})
    find = backfill_report.find_backfill

    def find_sound(settings, name, moment):
        if name == "7":
            raise ValueError("broken")
        return find(settings, name, moment)

    monkeypatch.setattr(backfill_report, "find_backfill", find_sound)
    with pytest.raises(ValueError, match="broken"):
        backfill_report.report_ended(three_days, NOW)
    assert [subject for _, subject, _ in mails(three_days)] == [
        "[digest] Backfill of retrain, 2026-11-29: The day is done"
    ]


def test_a_command_that_was_killed_goes_on_until_no_stage_takes_that_long(settings):
    form = {"from": NIGHT.isoformat(), "to": (NIGHT + 2 * DAY).isoformat(), "mode": "dry_run"}
    begun = {NIGHT: ("judge", "done", NOW), NIGHT + DAY: ("train", "running", None)}
    rows = [(f"x/{moment:%Y%m%d}", moment, *stage) for moment, stage in begun.items()]
    rows.append(("y", NIGHT, "report_backfill", "done", NOW + DAY))
    with connect(settings) as warehouse:
        for name, moment, stage, status, ended_at in rows:
            warehouse.execute(
                "insert into ops.runs (run_id, stage, as_of, status, started_at, finished_at, kind, mode, actor, form)"
                " values (%s, %s, %s, %s, %s, %s, 'backfill', 'dry_run', 'ada', %s)",
                [f"cli/backfill/{name}", stage, moment, status, NOW, ended_at, json.dumps(form)],
            )
    found = find_backfill(settings, "last", NOW + 2 * MINUTE)
    assert (found.backfill_id, found.ended_at) == ("x", None)
    assert [day.state for day in found.days] == ["success", "running", "queued"]
    found = find_backfill(settings, "x", NOW + DAY)
    assert [(day.state, day.outcome) for day in found.days[1:]] == [
        ("failed", "The command was ended during train."),
        ("missing", "It was not begun."),
    ]
    assert backfill_report.tell_mending(found).startswith(
        "bin/daybreak backfill --from 2026-11-21T03:00 --to 2026-11-22T03:00"
    )


def test_the_sentinel_notices_the_end_also_after_a_kill_in_the_middle_of_the_report(three_days, monkeypatch, mailbox):
    sentinel = Sentinel(NOW)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backfill_report, "raise_alert", die)
        with pytest.raises(KeyboardInterrupt):
            sentinel.look(three_days, mailbox.channels, NOW)
    assert mails(three_days) == []
    for minute in (1, 2):
        sentinel.look(three_days, mailbox.channels, NOW + minute * MINUTE)
    assert [mail["subject"][:30] for mail in mailbox.mails] == ["[ticket] Backfill of retrain, "]


def test_a_backfill_that_was_refused_for_its_form_says_so_and_mails_nothing(settings):
    file_backfill(settings, 8, {NIGHT: "failed", NIGHT + DAY: "failed"}, mode="enforce")
    backfill_report.report_ended(settings, NOW)
    assert mails(settings) == []
    answer = cli.say(settings, "backfill", "report", "8")
    assert "Nothing was done: A backfill in mode enforce promotes, and that is not confirmed." in answer.out
    assert "start it again with another form" in answer.err


def test_an_old_backfill_is_not_mailed_after_an_upgrade(three_days):
    backfill_report.report_ended(three_days, NOW + 8 * DAY)
    assert mails(three_days) == []


def test_what_a_command_cannot_find_is_said(settings):
    with pytest.raises(DaybreakError, match="There was no backfill yet"):
        find_backfill(settings, "last", NOW)
    with pytest.raises(DaybreakError, match="There is no backfill 12"):
        find_backfill(settings, "12", NOW)
    file_backfill(settings, 3, {NIGHT: "success"})
    assert "Backfill 3 has no run in Airflow to do again" in cli.say(settings, "backfill", "again", "3").err
    assert "A backfill needs its days" in cli.say(settings, "backfill").err


def test_only_the_newest_day_of_a_backfill_is_its_last(settings):
    file_backfill(settings, 6, {NIGHT: "running", NIGHT + DAY: "queued"})
    names = [f"backfill__{moment.isoformat()}" for moment in (NIGHT, NIGHT + DAY)]
    assert [is_last_day(settings, "retrain", name) for name in names] == [False, True]
    assert is_last_day(settings, "retrain", "manual__1")


def test_a_report_is_a_run_of_its_own_beside_those_of_its_days(three_days):
    backfill_report.report_ended(three_days, NOW)
    [told] = [one for one in find_runs(three_days, NOW, "backfill") if one["run_id"] == "cli/backfill/7"]
    assert (told["state"], told["outcome"]) == (
        "success",
        "1 of 3 days failed. Of 2 challengers, v5 would have become champion.",
    )
