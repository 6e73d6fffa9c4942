"""What a rehearsal breaks is told as a rehearsal, apart from real incidents, and never as a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import rehearsing, reporting
from include.alerts.conditions import Condition
from include.alerts.incidents import Success, open_incidents
from include.alerts.wording import Failure
from include.core.clock import now

FAILURE = Failure(
    dag_id="recommend",
    run_id="scheduled__04",
    run_type="scheduled",
    as_of=datetime(2026, 11, 30, tzinfo=UTC),
    task_id="validate",
    kind="ValidationBlocked",
    fact="Bad rows.",
)
MANY = Condition("RowsQuarantined", "articles", "Many rows of articles were quarantined.", "7 rows.", "Nothing.")


@pytest.fixture
def rehearsal(settings):
    causes = (("ValidationBlocked", "recommend"), ("RowsQuarantined", "articles"))
    begun = rehearsing.Rehearsal("bad-data", "bad data", causes, now(), now(), "batch-1", 16)
    rehearsing.begin(settings, begun)
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into recs.batches"
            " (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status, readers, published_at)"
            " values ('b', now(), 17, 's', 'r', 10, 'audited', 3000, now())"
        )
        warehouse.execute("insert into recs.live (batch_id, stale_after_minutes) values ('b', 150)")
    return begun


def incidents(settings):
    with connect(settings) as warehouse:
        return [(one.severity, one.title) for one in open_incidents(warehouse)]


def text(mail):
    return mail.get_body(("plain",)).get_content()


def test_what_is_written_down_is_read_again(settings, rehearsal):
    assert rehearsing.going_on(settings) == rehearsal
    rehearsing.end(settings)
    assert rehearsing.going_on(settings) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"begun_at": "2026-11-30T00:00:00+00:00", "causes": [], "x": 1}'])
def test_a_file_that_is_no_rehearsal_loses_no_alert(settings, mailbox, content):
    (settings.home / rehearsing.FILE).write_text(content)
    reporting.report(settings, FAILURE, mailbox.channels)
    assert len(mailbox.mails) == 1


def test_a_rehearsal_does_not_end_a_real_incident_of_its_cause(settings, mailbox):
    def find(*_):
        yield MANY

    reporting.review(settings, mailbox.channels, find)
    causes = ((MANY.name, MANY.subject),)
    rehearsing.begin(settings, rehearsing.Rehearsal("quarantine", "rows", causes, now(), now(), None, None))
    reporting.review(settings, mailbox.channels, find)
    assert sorted(subject.split()[1] for subject in mailbox.subjects) == ["Many", "Rehearsal:"]


def test_a_failure_that_would_page_is_a_ticket_that_says_so(settings, mailbox, rehearsal):
    reporting.report(settings, FAILURE, mailbox.channels)
    assert mailbox.subjects == ["[ticket] Rehearsal: recommend failed at validate: Bad rows."]
    assert "This is the rehearsal “bad data” on the demo" in text(mailbox.mails[0])
    assert "For real, this mail would be a page." in text(mailbox.mails[0]).replace("\n", " ")


def test_a_failure_of_another_cause_is_told_as_ever(settings, mailbox, rehearsal):
    reporting.report(settings, replace(FAILURE, kind="ArtifactDamaged", about="v3"), mailbox.channels)
    assert mailbox.subjects == ["[page] v3: recommend failed at validate: Bad rows."]


def test_a_failure_of_this_cause_about_something_else_is_told_as_ever(settings, mailbox, rehearsal):
    reporting.report(settings, replace(FAILURE, about="articles"), mailbox.channels)
    assert mailbox.subjects == ["[page] articles: recommend failed at validate: Bad rows."]


def test_a_past_day_that_meets_what_is_broken_is_rehearsed_as_well(settings, mailbox, rehearsal):
    reporting.report(settings, replace(FAILURE, is_past=True), mailbox.channels)
    assert incidents(settings) == [
        ("ticket", "Rehearsal: recommend (past days): recommend failed at validate: Bad rows.")
    ]


def test_a_run_of_a_rehearsal_ends_no_real_incident(settings, mailbox, rehearsal):
    real = replace(FAILURE, about="articles")
    mine = replace(FAILURE, run_id=f"{rehearsing.PREFIX}bad-data__1", run_type="manual")
    for failure in (real, mine):
        reporting.report(settings, failure, mailbox.channels)
    assert len(incidents(settings)) == 2
    reporting.report_success(settings, Success("recommend", mine.run_id, None, False), mailbox.channels)
    assert incidents(settings) == [("page", "articles: recommend failed at validate: Bad rows.")]
    reporting.report_success(settings, Success("recommend", "scheduled__05", None, False), mailbox.channels)
    assert incidents(settings) == []


def test_a_rehearsal_does_not_hide_in_a_real_incident(settings, mailbox, rehearsal):
    rehearsing.end(settings)
    reporting.report(settings, FAILURE, mailbox.channels)
    rehearsing.begin(settings, rehearsal)
    reporting.report(settings, replace(FAILURE, run_id="scheduled__05"), mailbox.channels)
    assert len(mailbox.mails) == 2
    reporting.close_rehearsed(settings, mailbox.channels)
    assert incidents(settings) == [("page", "recommend failed at validate: Bad rows.")]


def test_two_rehearsals_of_a_night_are_two_incidents(settings, mailbox, rehearsal):
    for number in (1, 2):
        rehearsing.begin(settings, replace(rehearsal, begun_at=now() + timedelta(seconds=number)))
        reporting.report(settings, replace(FAILURE, run_id=f"r{number}"), mailbox.channels)
        reporting.close_rehearsed(settings, mailbox.channels)
    title = "Rehearsal: recommend failed at validate: Bad rows."
    assert mailbox.subjects == [f"[{mark}] {title}" for mark in ("ticket", "recovered") * 2]
    assert incidents(settings) == []


def test_a_condition_is_an_incident_of_the_rehearsal_until_that_ends(settings, mailbox, rehearsal):
    def look():
        reporting.review(settings, mailbox.channels, lambda *_: iter([MANY]))
        return incidents(settings)

    assert look() == look() == [("ticket", f"Rehearsal: {MANY.title}")]
    rehearsing.end(settings)
    assert look() == [("ticket", MANY.title)]


def test_a_rehearsal_that_was_killed_hides_nothing_for_long(settings, mailbox, rehearsal):
    long_ago = now() - rehearsing.LONGEST
    rehearsing.begin(settings, replace(rehearsal, begun_at=long_ago, renewed_at=long_ago))
    reporting.report(settings, FAILURE, mailbox.channels)
    assert mailbox.subjects == ["[page] recommend failed at validate: Bad rows."]


def test_a_rehearsal_that_takes_long_is_one_as_long_as_its_process_goes_on(settings, mailbox, rehearsal):
    long_ago = now() - rehearsing.LONGEST
    rehearsing.begin(settings, replace(rehearsal, begun_at=long_ago, renewed_at=long_ago))
    rehearsing.renew(settings, now())
    reporting.report(settings, FAILURE, mailbox.channels)
    assert mailbox.subjects == ["[ticket] Rehearsal: recommend failed at validate: Bad rows."]
