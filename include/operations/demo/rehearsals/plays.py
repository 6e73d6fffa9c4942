"""The course of each rehearsal: what it breaks, starts and expects to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from include.adapters.warehouse import connect, query
from include.core.clock import now
from include.core.errors import FormRefused
from include.lists.takedowns import count_readers
from include.operations.demo.newsroom import tables
from include.operations.demo.newsroom.world import to_moment
from include.operations.demo.rehearsals import breakage
from include.operations.demo.rehearsals.stage import NotSeen, Stage, requested_runs

LITTLE = 0.005  # share of the window's rows, below the cap that stops a run
BEYOND = 0.015  # share above that cap
DAYS = 3
LONGER = 3  # times as many words, as if the publisher counted syllables
DRIFT_DAYS = 3
LONGEST_WAIT_MINUTES = 240  # that the form of `retrain` takes


def bad_data(stage: Stage) -> None:
    """Block a run by too many bad rows, correct them at their source and clear the run."""
    before = stage.live()
    _break_rows(stage, stage.settings.quarantine_cap_share + BEYOND)
    run_id = stage.start("recommend")
    stage.expect("recommend", run_id, "failed")
    stage.see_page(f"recommend/{run_id}", "validate", "the report on the rows")
    stage.expect_mail("Rehearsal", "validate")
    _see_that_lists_stay(stage, before[0])
    breakage.mend_publisher(stage.settings, stage.newsroom)
    stage.say("  the publisher has corrected the rows")
    stage.repeat("recommend", run_id, "extract")
    stage.expect_mail("[recovered]", "Rehearsal")


def quarantine(stage: Stage) -> None:
    """Quarantine more rows than usual, correct them at their source and bring them back."""
    broken = _break_rows(stage, LITTLE)
    run_id = stage.start("recommend")
    stage.expect("recommend", run_id, "success")
    stage.see_page(f"recommend/{run_id}", "validate", "the report on the rows")
    breakage.mend_publisher(stage.settings, stage.newsroom)
    stage.say("  the publisher has corrected the rows")
    stage.expect("monitor", stage.start("monitor"), "success")
    stage.expect_mail("Rehearsal", "quarantined")
    snapshot = stage.recall(f"recommend/{run_id}", "extract")["id"]
    replay = stage.start("replay_quarantine", snapshot=snapshot, table="reading_events", code="EVT105")
    stage.expect("replay_quarantine", replay, "success")
    came = int(stage.recall(f"replay_quarantine/{replay}", "replay")["facts"]["came_back"])
    stage.see(f"{came:,} of {broken:,} rows came back in a new version of the snapshot")
    stage.need(came == broken, f"{broken - came:,} rows did not come back.")
    stage.expect("monitor", stage.start("monitor"), "success")
    stage.expect_mail("[recovered]", "Rehearsal")


def outage(stage: Stage) -> None:
    """Shut the extract out of the publisher's database until on-call is told, then let it in and clear the run."""
    before = stage.live()
    stage.say("  the publisher's database refuses the role daybreak_extract from now on")
    breakage.shut_out(stage.settings, "daybreak_extract")
    run_id = stage.start("recommend")
    stage.say("  Airflow tries three times, 30 s apart, before it tells on-call")
    stage.expect("recommend", run_id, "failed")
    stage.expect_mail("Rehearsal", "source database")
    _see_that_lists_stay(stage, before[0])
    breakage.let_in(stage.settings)
    stage.say("  the publisher's database is back")
    stage.repeat("recommend", run_id, "extract")
    stage.expect_mail("[recovered]", "Rehearsal")


def crash(stage: Stage) -> None:
    """Kill the task that publishes between its two writes, and let Airflow repeat it."""
    before = stage.live()
    with breakage.holding_live_lists(stage.settings) as holder:
        run_id = stage.start("recommend")
        pid = stage.wait_for("task that publishes", lambda: _kill_publish(stage, run_id, holder))
    stage.see(f"process {pid} was killed (SIGKILL): it had marked its lists as published and not yet made them live")
    _see_that_lists_stay(stage, before[0])
    with connect(stage.settings) as warehouse:
        asked = {"run_id": f"recommend/{run_id}"}
        (half,) = warehouse.execute(query("operations/published_by"), asked).fetchone() or (0,)
    stage.need(half == 0, "The lists are marked as published and were never live.")
    stage.see("the first write was undone with it: no batch is half published")
    stage.expect("recommend", run_id, "success")
    [tries] = [
        task["try_number"] for task in stage.airflow.task_instances("recommend", run_id) if task["task_id"] == "publish"
    ]
    after = stage.live()
    stage.see(f"try {tries} of publish made {after[0]} live")
    stage.need(after[0] != before[0], "The second try published nothing.")
    stage.need(not stage.subjects(), "A mail was sent, although Airflow mended this by itself.")
    stage.see("no mail: there was nothing for a person to do")


def bad_article(stage: Stage) -> None:
    """Let an editor mark an article as disputed that is in many lists, and refresh the lists."""
    with connect(stage.settings) as warehouse:
        row = warehouse.execute(query("operations/most_listed")).fetchone()
    stage.need(row is not None, "No lists are live yet.")
    article, readers = row or (0, 0)
    headline = breakage.dispute(stage.newsroom, article, now())
    stage.see(f"article {article}, “{headline}”, is in {readers:,} lists; an editor has marked it as disputed")
    run_id = stage.start("recommend")
    stage.expect("recommend", run_id, "success")
    stage.see_page(f"recommend/{run_id}", "audit", "the new lists")
    with connect(stage.settings) as warehouse:
        left = count_readers(warehouse, article)
    stage.need(left == 0, f"Article {article} is still in {left:,} lists.")
    stage.see(f"article {article} is in no list any more")


def late_data(stage: Stage) -> None:
    """Let a training wait for data that comes only after its deadline."""
    state = tables.load_state(stage.newsroom)
    end = to_moment(state.played_until_us) if state else now()
    minutes = int((now() - end) / timedelta(minutes=1)) + 2
    if minutes > LONGEST_WAIT_MINUTES:
        raise FormRefused(
            f"The demo's last row is {minutes - 2:,} minutes old, and a training waits {LONGEST_WAIT_MINUTES} at most.",
            hint="play the newsroom first: `bin/daybreak newsroom play`.",
        )
    breakage.hold_back_deliveries(stage.newsroom)
    stage.say(
        f"  the publisher vouches for an hour less; the run waits until {end + timedelta(minutes=minutes):%H:%M} UTC"
    )
    form = {"as_of": end.isoformat(), "wait_minutes": minutes, "mode": "off", "model": "most_read"}
    run_id = stage.start("retrain", **form)
    stage.expect("retrain", run_id, "failed")
    stage.expect_mail("Rehearsal", "wait_for_data")
    breakage.mend_publisher(stage.settings, stage.newsroom)
    stage.say("  the data has arrived")
    stage.repeat("retrain", run_id, "wait_for_data")
    stage.expect_mail("[recovered]", "Rehearsal")


def mail_away(stage: Stage) -> None:
    """Silence the mail server while a run is blocked, and see the mail wait and arrive later."""
    _break_rows(stage, stage.settings.quarantine_cap_share + BEYOND)
    breakage.halt_mailbox(stage.settings)
    stage.say("  the mail server does not answer any more")
    run_id = stage.start("recommend")
    stage.expect("recommend", run_id, "failed")
    [subject, *_] = stage.wait_for("mail that had to wait", lambda: stage.subjects(had_to_wait=True))
    stage.see(f"mail “{subject}” had to wait in ops.deliveries; no run failed because of it")
    breakage.resume_mailbox(stage.settings)
    stage.say("  the mail server is back; the sentinel tries again every minute")
    stage.expect_mail("Rehearsal", "validate")
    breakage.mend_publisher(stage.settings, stage.newsroom)
    stage.repeat("recommend", run_id, "extract")
    stage.expect_mail("[recovered]", "Rehearsal")


def mlflow_away(stage: Stage) -> None:
    """Take MLflow's database away: lists go on, a training fails and goes on later."""
    stage.say("  MLflow's database refuses it from now on, so MLflow answers nothing")
    breakage.shut_out(stage.settings, "mlflow")
    training = stage.start("retrain", mode="off", model="most_read")
    lists = stage.start("recommend")
    stage.expect("recommend", lists, "success")
    stage.see("readers have fresh lists: the champion's files are at hand")
    stage.expect("retrain", training, "failed")
    stage.expect_mail("Rehearsal", "MLflow")
    breakage.let_in(stage.settings)
    stage.say("  MLflow is back")
    stage.repeat("retrain", training, "train")
    stage.expect_mail("[recovered]", "Rehearsal")


def worse_model(stage: Stage) -> None:
    """Train a model that is worse than the champion, and see the gate keep the champion."""
    run_id = stage.start("retrain", mode="dry_run", model="most_read")
    stage.expect("retrain", run_id, "success")
    verdict = stage.recall(f"retrain/{run_id}", "judge")["facts"]
    stage.see(f"verdict: {verdict['sentence']} {stage.settings.report_link(verdict['report'])}")
    stage.need(verdict["decision"] == "keep", f"The verdict on a worse model is {verdict['decision']}.")
    stage.need(not stage.subjects(), "A mail was sent, although a kept champion is no failure.")
    stage.see("no mail: a champion that is kept is a green run")


def drift(stage: Stage) -> None:
    """Change what the articles look like until monitor requests a retrain, and see the gate judge it in a dry run."""
    changed = breakage.lengthen(stage.newsroom, LONGER, DRIFT_DAYS)
    stage.see(f"{changed:,} articles of the last {DRIFT_DAYS} days have {LONGER} times the words")
    for _ in range(stage.settings.drift_violations):
        asked = _measure(stage)
    if not asked["retrain_reason"]:
        raise NotSeen(f"No retrain was requested: {asked['sentence']}", hint="repeat this when a request is possible.")
    [run] = stage.wait_for("run of retrain", lambda: requested_runs(stage.airflow, stage.begun_at))
    run_id = run["run_id"]
    stage.see(f"the event of monitor started retrain: {stage.airflow.link('retrain', run_id)}")
    stage.wait_for("snapshot of the training", lambda: _has_ended(stage, run_id, "extract"))
    breakage.mend_publisher(stage.settings, stage.newsroom)
    stage.say("  the publisher counts words as before")
    stage.expect("retrain", run_id, "success")
    verdict = stage.recall(f"retrain/{run_id}", "judge")["facts"]
    stage.see(f"verdict in a dry run: {verdict['sentence']} {stage.settings.report_link(verdict['report'])}")
    stage.expect_mail("Rehearsal", "Drift")
    after = _measure(stage)
    stage.need(not after["retrain_reason"], "A retrain was requested again.")


def _measure(stage: Stage) -> Mapping[str, Any]:
    """Let monitor measure a window; return what it found."""
    run_id = stage.start("monitor")
    stage.expect("monitor", run_id, "success")
    facts: Mapping[str, Any] = stage.recall(f"monitor/{run_id}", "watch")["facts"]
    stage.see(f"{facts['sentence']} {stage.settings.report_link(facts['report'])}")
    return facts


def _has_ended(stage: Stage, run_id: str, task_id: str) -> bool:
    tasks = stage.airflow.task_instances("retrain", run_id)
    return any(task["task_id"] == task_id and task["end_date"] for task in tasks)


def _break_rows(stage: Stage, share: float) -> int:
    """Break this share of the window's reading events."""
    bound = [stage.settings.lookback_days]
    (rows,) = stage.newsroom.execute(
        "select count(*) from newsroom.tracking"
        " where happened >= (select played_until from newsroom.state) - make_interval(days => %s)",
        bound,
    ).fetchone() or (0,)
    broken = breakage.break_readers(stage.newsroom, int(rows * share), DAYS)
    stage.see(f"{broken:,} of {rows:,} reading events name readers that do not exist (check EVT105)")
    return broken


def _kill_publish(stage: Stage, run_id: str, holder: int) -> int | None:
    """Kill the process of `publish` once it waits for the lock; return its pid."""
    [pid] = [task["pid"] for task in stage.airflow.task_instances("recommend", run_id) if task["task_id"] == "publish"]
    return pid if pid and breakage.kill_waiting(stage.settings, holder, pid) else None


def _see_that_lists_stay(stage: Stage, batch_id: str) -> None:
    live, as_of = stage.live()
    stage.need(live == batch_id, f"Lists {live} are live in place of {batch_id}.")
    stage.see(f"readers keep the lists of {as_of:%H:%M} UTC")


PLAYS: dict[str, Callable[[Stage], None]] = {
    "bad-data": bad_data,
    "quarantine": quarantine,
    "outage": outage,
    "crash": crash,
    "bad-article": bad_article,
    "late-data": late_data,
    "mail-away": mail_away,
    "mlflow-away": mlflow_away,
    "worse-model": worse_model,
    "drift": drift,
}
