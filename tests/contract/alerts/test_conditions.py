"""Conditions without a failed run, found in a real PostgreSQL: one ticket each, closed when it no longer holds."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import outbox, reporting
from include.alerts.incidents import open_incidents
from include.alerts.wording import Failure
from include.core.clock import now

DAY = timedelta(days=1)


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def write(settings, text, *values):
    with connect(settings) as warehouse:
        warehouse.execute(text, values)


def model(settings, version, age):
    write(
        settings,
        "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
        " mlflow_run_id, trained_until) values (%s, 'd', 'most_read', 'f', 'f', 's', now(), 'r', 'm', %s)",
        version, now() - age,
    )  # fmt: skip


def crown(settings, version, at):
    write(
        settings,
        "insert into ops.champions (seq, version, action, why, actor, run_id, snapshot_id, at)"
        " select coalesce(max(seq), 0) + 1, %s, 'promote', 'better', 'test', 'r', 's', %s from ops.champions",
        version, at,
    )  # fmt: skip


def verdict(settings, name, decision, at, *, asked_at=None, seq=1):
    write(
        settings,
        "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
        " decision, checks, metrics, of_record_at, asked_at) values (%s, %s, 'r', 9, 1, %s, %s, '[]', '{}', %s, %s)",
        name, at, seq, decision, at, asked_at,
    )  # fmt: skip


def quarantine(settings, rows, age, snapshot="s-1", snapshot_age=None, *, is_blocked=False):
    at = now() - age
    names = {snapshot: None} if is_blocked else {snapshot: None, f"{snapshot}-clean": snapshot}
    for name, parent in names.items():
        write(
            settings,
            "insert into ops.snapshots (snapshot_id, as_of, window_start, parent_id, source)"
            " values (%s, %s, %s, %s, %s)",
            name, now() - (snapshot_age or age), at - 14 * DAY, parent, json.dumps({}),
        )  # fmt: skip
    write(
        settings,
        "insert into quarantine.articles (snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id,"
        " original, quarantined_at) select %s, 'ART103', 'a' || n, 'f', n, 'no title', 'r', '{}', %s"
        " from generate_series(1, %s) n",
        snapshot, at, rows,
    )  # fmt: skip


def publish(settings, age):
    write(
        settings,
        "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status, readers)"
        " values ('b', %s, 1, 's', 'r', 10, 'audited', 3)",
        now() - age,
    )
    write(settings, "insert into recs.live (batch_id, stale_after_minutes) values ('b', 150)")


def watched(settings, age):
    write(
        settings,
        "insert into ops.runs (run_id, stage, as_of, status, started_at) values ('m', 'watch', now(), 'done', %s)",
        now() - age,
    )


def review(settings):
    """The open incidents after a review: urgency, cause, subject."""
    reporting.review(settings, {"mail": outbox.Channel(lambda alert: None)})
    with connect(settings) as warehouse:
        return [(one.severity, one.cause, one.subject) for one in open_incidents(warehouse)]


def subjects(settings):
    with connect(settings) as warehouse:
        return [subject for (subject,) in warehouse.execute("select subject from ops.alerts order by alert_id")]


def test_with_nothing_to_tell_nothing_is_told(settings):
    model(settings, 1, DAY)
    crown(settings, 1, now())
    publish(settings, timedelta(minutes=10))
    assert review(settings) == []


def test_quarantined_rows_are_one_ticket_until_they_come_back(settings):
    quarantine(settings, 1421, timedelta(hours=2))
    for _ in range(2):
        assert review(settings) == [("ticket", "RowsQuarantined", "articles")]
    assert subjects(settings) == ["[ticket] Many rows of articles were quarantined."]
    write(
        settings,
        "insert into quarantine.replays select 'articles', snapshot_id, file_sha256, row_no, 'mended', 'clean', now(),"
        " '', now(), 'r' from quarantine.articles",
    )
    assert review(settings) == []
    assert subjects(settings)[1].startswith("[recovered] Many rows of articles")
    with connect(settings) as warehouse:
        bodies = [body for (body,) in warehouse.execute("select body from ops.alerts order by alert_id")]
    assert "What readers saw" not in bodies[1], "it never touched their lists"


def test_rows_that_later_snapshots_hold_too_and_rows_of_a_past_day_are_not_new(settings):
    quarantine(settings, 1421, 9 * DAY)
    quarantine(settings, 1421, timedelta(hours=1), snapshot="s-2")
    assert review(settings) == []
    write(settings, "delete from quarantine.articles")
    quarantine(settings, 1421, timedelta(hours=1), snapshot="s-3", snapshot_age=5 * DAY)
    assert review(settings) == []


def test_the_rows_of_a_blocked_run_are_told_of_by_that_run_alone(settings):
    quarantine(settings, 1000, timedelta(hours=1), is_blocked=True)
    assert review(settings) == []


def test_a_champion_that_learnt_long_ago_is_a_ticket(settings):
    model(settings, 1, 21 * DAY)
    crown(settings, 1, now())
    assert review(settings) == [("ticket", "ChampionOld", "champion")]
    model(settings, 2, DAY)
    crown(settings, 2, now())
    assert review(settings) == []


def test_a_row_of_rejected_challengers_is_a_ticket_until_one_wins(settings):
    model(settings, 1, DAY)
    crown(settings, 1, now() - 9 * DAY)
    verdict(settings, "won", "promote", now() - 9 * DAY)
    for night in range(7, 1, -1):
        verdict(settings, f"lost-{night}", "keep", now() - night * DAY)
    assert review(settings) == []
    verdict(settings, "lost", "keep", now() - DAY)
    assert review(settings) == [("ticket", "ChallengersKeepLosing", "champion")]
    verdict(settings, "asks", "ask", now())
    assert review(settings) == []


def test_a_question_is_told_of_again_at_half_its_time(settings):
    crown(settings, 1, now())
    verdict(settings, "new", "ask", now(), asked_at=now() - timedelta(hours=5))
    assert review(settings) == []
    verdict(settings, "old", "ask", now(), asked_at=now() - timedelta(hours=6))
    assert review(settings) == [("ticket", "QuestionUnanswered", "v9")]
    write(settings, "insert into ops.answers values ('old', 'keep', 'ada', now())")
    assert review(settings) == []


@pytest.mark.parametrize(("kind", "version"), [("freeze", None), ("pin", 1)])
def test_a_hold_that_was_forgotten_is_a_ticket(settings, kind, version):
    write(
        settings,
        "insert into ops.holds (kind, version, reason, actor, set_at) values (%s, %s, 'audit.', 'ben', %s)",
        kind, version, now() - 7 * DAY,
    )  # fmt: skip
    assert review(settings) == [("ticket", "PromotionHeld", kind)]
    assert subjects(settings) == [f"[ticket] Promotions are on hold ({kind})."]
    write(settings, "update ops.holds set lifted_at = now()")
    assert review(settings) == []


def test_stale_lists_that_no_failure_explains_are_a_page(settings):
    publish(settings, timedelta(minutes=200))
    assert review(settings) == [], "after a standstill recommend has its turn first"
    watched(settings, timedelta(minutes=60))
    assert review(settings) == [("page", "ListsStale", "lists")]


def test_stale_lists_are_over_when_they_are_fresh_and_not_before(settings):
    """Neither a failure that explains them nor a monitor that paused makes lists fresh."""
    publish(settings, timedelta(minutes=200))
    watched(settings, timedelta(minutes=60))
    assert review(settings) == [("page", "ListsStale", "lists")]
    write(settings, "delete from ops.runs")
    assert review(settings) == [("page", "ListsStale", "lists")]
    assert subjects(settings) == ["[page] Readers' lists are stale."]
    write(settings, "update recs.batches set as_of = now()")
    assert review(settings) == []
    assert subjects(settings)[1:] == ["[recovered] Readers' lists are stale."]


def test_a_backfill_that_failed_does_not_explain_stale_lists(settings):
    publish(settings, timedelta(minutes=200))
    watched(settings, timedelta(minutes=60))
    failure = Failure(dag_id="recommend", run_id="1", run_type="backfill", kind="AuditFailed", fact="x", is_past=True)
    reporting.report(settings, failure, {"mail": outbox.Channel(lambda alert: None)})
    assert ("page", "ListsStale", "lists") in review(settings)
    assert ("ticket", "AuditFailed", "recommend (past days)") in review(settings), "nobody waits for a past day"


def test_stale_lists_that_a_failure_explains_are_that_incidents_page(settings):
    publish(settings, timedelta(minutes=10))
    watched(settings, timedelta(minutes=60))
    failure = Failure(dag_id="recommend", run_id="1", run_type="scheduled", kind="AuditFailed", fact="x")
    reporting.report(settings, failure, {"mail": outbox.Channel(lambda alert: None)})
    write(settings, "update recs.batches set as_of = as_of - interval '200 minutes'")
    assert review(settings) == [("page", "AuditFailed", "recommend")]
