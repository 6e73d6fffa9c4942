"""When an incident opens, rises, comes back and ends, and which of it is a mail: pure decisions on what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from include.alerts.incidents import FORGOTTEN_AFTER, Incident, due_mail, fail, settle, succeed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = timedelta(hours=3)
SERVING = frozenset({"recommend"})
OPEN = Incident(
    incident_id=7,
    cause="ArtifactDamaged",
    subject="v3",
    title="v3: recommend failed at score: The files of version 3 have changed.",
    severity="ticket",
    trouble={"is_live": True},
    thread="ArtifactDamaged/v3/2026-11-20T12:00:00+00:00",
    opened_at=NOON,
    last_at=NOON,
    mailed="ticket",
    stopped={"monitor": 1, "recommend": 1},
)
CLOSED = replace(OPEN, recovered_at=NOON + HOUR, recovered_by="recommend", closed_at=NOON + HOUR)


def test_the_first_failure_is_a_mail():
    assert due_mail(None, replace(OPEN, mailed=None), NOON) == "opened"


def test_a_failure_that_joins_is_no_mail():
    after = fail(OPEN, "ticket", NOON + HOUR)
    assert after == replace(OPEN, last_at=NOON + HOUR)
    assert due_mail(OPEN, after, NOON + HOUR) is None


def test_a_ticket_that_becomes_a_page_is_one_more_mail_and_only_one():
    after = fail(OPEN, "page", NOON + HOUR)
    assert due_mail(OPEN, after, NOON + HOUR) == "escalated"
    told = replace(after, mailed="page")
    assert due_mail(told, fail(told, "page", NOON + 2 * HOUR), NOON + 2 * HOUR) is None


def test_a_page_stays_a_page_when_a_milder_failure_joins():
    assert fail(replace(OPEN, severity="page"), "ticket", NOON + HOUR).severity == "page"


def test_the_first_success_of_what_it_stopped_is_its_end_and_a_mail():
    after = succeed(OPEN, "recommend", SERVING, NOON + HOUR)
    assert after == CLOSED
    assert due_mail(OPEN, after, NOON + HOUR) == "recovered"


def test_while_a_dag_that_serves_readers_is_stopped_the_success_of_another_ends_nothing():
    assert succeed(OPEN, "monitor", SERVING, NOON + HOUR) == OPEN
    alone = replace(OPEN, stopped={"monitor": 1})
    assert succeed(alone, "monitor", SERVING, NOON + HOUR).closed_at == NOON + HOUR


def test_an_incident_that_comes_back_says_so_once_and_then_stays_open_until_it_is_quiet():
    back = fail(CLOSED, "ticket", NOON + 2 * HOUR)
    assert (back.closed_at, back.returns) == (None, 1)
    assert due_mail(CLOSED, back, NOON + 2 * HOUR) == "returned"
    works = succeed(back, "recommend", SERVING, NOON + 3 * HOUR)
    assert (works.closed_at, works.is_quiet, due_mail(back, works, NOON + 3 * HOUR)) == (None, True, None)
    again = fail(works, "ticket", NOON + 4 * HOUR)
    assert (again.is_quiet, due_mail(works, again, NOON + 4 * HOUR)) == (False, None)


def test_a_quiet_incident_is_over_after_a_while_and_the_mail_says_so():
    works = replace(OPEN, returns=1, recovered_at=NOON + HOUR)
    assert settle(works, NOON + 3 * HOUR, QUIET, readers_are_worse_off=False) == works
    over = settle(works, NOON + 4 * HOUR, QUIET, readers_are_worse_off=False)
    assert over.closed_at == NOON + 4 * HOUR
    assert due_mail(works, over, NOON + 4 * HOUR) == "recovered"


def test_further_successes_do_not_make_the_quiet_begin_anew():
    works = replace(OPEN, returns=1, recovered_at=NOON + HOUR)
    assert succeed(works, "recommend", SERVING, NOON + 2 * HOUR).recovered_at == NOON + HOUR


def test_a_past_day_never_becomes_a_page_however_old_lists_are():
    theirs = replace(OPEN, trouble={"is_live": False})
    assert settle(theirs, NOON + HOUR, QUIET, readers_are_worse_off=True).severity == "ticket"


def test_an_open_incident_becomes_a_page_when_readers_are_worse_off_by_now():
    after = settle(OPEN, NOON + HOUR, QUIET, readers_are_worse_off=True)
    assert due_mail(OPEN, after, NOON + HOUR) == "escalated"
    quiet = replace(OPEN, returns=1, recovered_at=NOON + HOUR)
    assert settle(quiet, NOON + HOUR, QUIET, readers_are_worse_off=True).severity == "ticket"


def test_what_a_form_or_a_past_day_left_broken_is_forgotten_without_a_mail():
    theirs = replace(OPEN, trouble={"is_live": False})
    over = settle(theirs, NOON + FORGOTTEN_AFTER, QUIET, readers_are_worse_off=False)
    assert over.closed_at == NOON + FORGOTTEN_AFTER
    assert due_mail(theirs, over, NOON + FORGOTTEN_AFTER) is None
    assert settle(OPEN, NOON + 9 * FORGOTTEN_AFTER, QUIET, readers_are_worse_off=False) == OPEN


def test_a_silenced_incident_sends_nothing_whatever_becomes_of_it():
    for silence in (
        {"acknowledged_at": NOON, "acknowledged_by": "ada"},
        {"muted_until": NOON + 9 * HOUR, "muted_by": "ada", "mute_reason": "known"},
    ):
        silent = replace(OPEN, **silence)
        for after in (
            replace(silent, mailed=None),
            fail(silent, "page", NOON + HOUR),
            succeed(silent, "recommend", SERVING, NOON + HOUR),
        ):
            assert due_mail(silent, after, NOON + HOUR) is None


def test_a_mute_that_has_run_out_lets_the_incident_be_told_of_at_last():
    muted = replace(OPEN, mailed=None, muted_until=NOON + HOUR)
    assert due_mail(muted, muted, NOON + timedelta(minutes=59)) is None
    assert due_mail(muted, muted, NOON + HOUR) == "opened"


def test_an_end_that_nobody_was_told_the_beginning_of_is_no_mail():
    silent = replace(OPEN, mailed=None)
    assert due_mail(silent, succeed(silent, "recommend", SERVING, NOON + HOUR), NOON + HOUR) is None


def test_an_acknowledgement_ends_with_its_incident():
    back = fail(replace(CLOSED, acknowledged_at=NOON, acknowledged_by="ada"), "page", NOON + 2 * HOUR)
    assert (back.acknowledged_at, back.acknowledged_by, back.severity) == (None, None, "page")


def test_a_line_says_urgency_age_runs_and_who_looks_after_it():
    line = replace(OPEN, severity="page", acknowledged_at=NOON, acknowledged_by="ada").tell(NOON + 3 * HOUR)
    assert line == (
        "#7 [page] v3: recommend failed at score: The files of version 3 have changed. Open for 3 h, 2 failed runs. "
        "Acknowledged by ada."
    )
    muted = replace(OPEN, stopped={}, muted_until=NOON + HOUR, muted_by="ben", mute_reason="being moved")
    assert muted.tell(NOON).endswith("Open for 0 min. Muted until 2026-11-20 13:00 UTC by ben: being moved")
    assert "Muted" not in muted.tell(NOON + HOUR)


def test_a_line_about_a_closed_incident_says_when_it_ended_and_how_long_it_had_lasted():
    assert CLOSED.tell(NOON + 9 * HOUR).endswith("Closed 2026-11-20 13:00 UTC after 60 min, 2 failed runs.")
