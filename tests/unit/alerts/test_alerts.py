"""What a mail says: everything a person woken at night needs, and nothing that must not be mailed."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from include.alerts.guides import ANY_RUN, CAUSES, CONDITIONS, GUIDES, HEARD, OUTSIDE, WATCHED
from include.alerts.incidents import Incident
from include.alerts.outbox import printable
from include.alerts.wording import (
    SUBJECT_LENGTH,
    Failure,
    LiveLists,
    compose,
    severity_of,
    tell_what_readers_saw,
    understand,
)
from include.core import errors
from include.core.clock import in_words
from include.core.errors import Finding
from include.core.settings import PROJECT, Settings

NOW = datetime(2026, 11, 20, 7, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
LISTS = LiveLists("b-17", datetime(2026, 11, 20, 4, 10, tzinfo=UTC), 17, 15000, stale_after_minutes=240)
BLOCKED = Failure(
    dag_id="retrain",
    run_id="scheduled__2026-11-20T03:00:00+00:00",
    run_type="scheduled",
    as_of=datetime(2026, 11, 20, 3, tzinfo=UTC),
    task_id="validate",
    tries=1,
    kind="ValidationBlocked",
    fact="12 % of 4,000 rows of reading_events are bad (limit 2 %).",
    hint="open the report.",
    run_url="http://airflow/run",
    log_url="http://airflow/log",
    report_url="http://airflow/report",
)
FINDINGS = (
    Finding("reading_events", "EVT103", "kind is known", "1,200 of 4,000 values (30.00%) break it; 2.00% may.", 1200,
            ("17", "18", "19")),
    Finding("articles", "ART101", "article_id is there", "90 of 900 values (10.00%) break it; 2.00% may.", 90,
            ("", "")),
    Finding("articles", "VOL101", "as many rows as usual", "12 rows; 1,400 are usual.", 0, ()),
)  # fmt: skip
SETTINGS = Settings(public_url="http://airflow")
KILLED = Failure(dag_id="recommend", run_id="r", run_type="scheduled", task_id="score", tries=3)


def incident_of(failure, lists=LISTS, failed_runs=1, **known):
    """The incident that a failure opens."""
    trouble = understand(SETTINGS, failure)
    about = {name: getattr(trouble, name) for name in ("cause", "subject", "title")}
    severity = severity_of(trouble, failed_runs, lists, NOW)
    times = {"opened_at": NOW, "last_at": NOW, "thread": trouble.thread(NOW), "stopped": {failure.dag_id: failed_runs}}
    return Incident(1, severity=severity, trouble=asdict(trouble), **about, **{**times, **known})


def first_mail(failure, lists=LISTS):
    return compose("opened", incident_of(failure, lists), lists, NOW)


def sections(body):
    """The body's paragraphs by their titles."""
    return dict(part.split("\n", 1) for part in body.split("\n\n"))


def test_the_subject_says_how_urgent_what_failed_and_why():
    assert first_mail(BLOCKED, LISTS).subject == (
        "[ticket] retrain failed at validate: 12 % of 4,000 rows of reading_events are bad (limit 2 %)."
    )


def test_the_body_answers_what_broke_what_readers_see_what_was_done_and_what_to_do():
    body = sections(first_mail(BLOCKED, LISTS).body)
    assert list(body) == ["What broke", "Since", "What readers see now", "What was done", "Next step", "Links"]
    assert body["What broke"] == (
        "retrain failed at validate, scheduled run scheduled__2026-11-20T03:00:00+00:00 (as of 2026-11-20 03:00 UTC).\n"
        "12 % of 4,000 rows of reading_events are bad (limit 2 %).\n"
        "Hint: open the report."
    )
    assert body["What readers see now"] == (
        "Lists of 2026-11-20 04:10 UTC, champion v17, 3 h old, for 15,000 readers (batch b-17)."
    )
    assert body["What was done"].startswith("Nothing was promoted")
    assert "clear the task `extract`" in body["Next step"]
    assert body["Links"].splitlines() == [
        "Run: http://airflow/run",
        "Log: http://airflow/log",
        "Report: http://airflow/report",
        "Runbook: http://airflow/daybreak/runbook/validation-blocked",
    ]
    assert body["Since"] == "2026-11-20 07:10 UTC. Further failures of this cause are counted and send no mail."


def test_a_failed_validation_names_table_check_count_and_example_keys_of_each_check_in_one_mail():
    alert = first_mail(replace(BLOCKED, findings=FINDINGS, about="reading_events"))
    assert alert.subject == (
        "[ticket] reading_events: retrain failed at validate: 1,200 of 4,000 values (30.00%) break it; 2.00% may. "
        "[EVT103] (2 more checks failed)"
    )
    body = sections(alert.body)
    assert list(body)[:2] == ["What broke", "Checks that failed"]
    assert body["Checks that failed"].splitlines() == [
        "- reading_events: 1,200 of 4,000 values (30.00%) break it; 2.00% may. For example 17, 18, 19. [EVT103]",
        "- articles: 90 of 900 values (10.00%) break it; 2.00% may. For example (without key), (without key). [ART101]",
        "- articles: 12 rows; 1,400 are usual. [VOL101]",
    ]
    assert "Data Docs: http://airflow/report" in body["Links"].splitlines()


def test_a_mail_about_many_checks_stays_readable():
    body = sections(first_mail(replace(BLOCKED, findings=FINDINGS * 10), LISTS).body)
    lines = body["Checks that failed"].splitlines()
    assert len(lines) == 13
    assert lines[-1] == "... and 18 more, in the Data Docs."


def test_failures_of_any_run_about_the_same_thing_share_cause_and_subject():
    about_v3 = replace(BLOCKED, kind="ArtifactDamaged", about="v3", fact="The files of version 3 have changed.")
    told = {understand(SETTINGS, replace(about_v3, dag_id=dag_id)).subject for dag_id in ("retrain", "recommend")}
    assert told == {"v3"}
    assert first_mail(about_v3).subject == (
        "[ticket] v3: retrain failed at validate: The files of version 3 have changed."
    )
    assert understand(SETTINGS, replace(about_v3, about="")).subject == "retrain"
    assert understand(SETTINGS, replace(about_v3, is_past=True)).subject == "v3 (past days)"


def test_the_mail_on_a_rise_counts_the_runs_and_answers_the_first_mail():
    incident = incident_of(BLOCKED, opened_at=NOW - 3 * HOUR, stopped={"recommend": 2, "retrain": 1})
    alert = compose("escalated", replace(incident, severity="page"), LISTS, NOW)
    assert (
        alert.subject == "[page] retrain failed at validate: 12 % of 4,000 rows of reading_events are bad (limit 2 %)."
    )
    assert sections(alert.body)["Since"] == (
        "2026-11-20 04:10 UTC to 2026-11-20 07:10 UTC: 3 h, 3 failed runs (recommend 2, retrain 1). It is a page now: "
        "readers are worse off, or will soon be."
    )
    assert (alert.thread, alert.incident) == (incident.thread, f"{incident.thread}/escalated/0")


def test_the_mail_on_an_end_says_how_long_how_many_runs_and_what_readers_saw():
    stopped = {"monitor": 1, "recommend": 3}
    incident = incident_of(
        KILLED, opened_at=NOW - 3 * HOUR, recovered_at=NOW, recovered_by="recommend", stopped=stopped
    )
    saw = tell_what_readers_saw(timedelta(hours=4), 150)
    alert = compose("recovered", incident, LISTS, NOW, saw)
    assert alert.subject.startswith("[recovered] recommend failed at score: ")
    body = sections(alert.body)
    assert list(body) == ["What happened", "How long", "What readers saw", "Links"]
    assert body["What happened"] == (
        "It has been over since 2026-11-20 07:10 UTC: a run of recommend succeeded. "
        "It had also stopped monitor; whether that works again is not known yet."
    )
    assert body["How long"] == (
        "2026-11-20 04:10 UTC to 2026-11-20 07:10 UTC: 3 h, 4 failed runs (monitor 1, recommend 3)."
    )
    assert body["What readers saw"] == "Lists up to 4 h old, STALE; they count as stale after 150 min."
    assert alert.thread == incident.thread


def test_the_mail_on_a_return_says_when_it_had_been_over():
    incident = incident_of(KILLED, recovered_at=NOW - HOUR, returns=1)
    alert = compose("returned", incident, LISTS, NOW)
    assert sections(alert.body)["Since"] == (
        "It was over at 2026-11-20 06:10 UTC and is back. Further failures of this cause are counted and send no mail."
    )
    assert alert.incident == f"{incident.thread}/returned/1"


def test_lists_beyond_their_age_are_called_stale():
    fresh, old = LISTS, replace(LISTS, stale_after_minutes=179)
    assert "STALE" not in first_mail(BLOCKED, fresh).body
    assert "3 h old, STALE" in first_mail(BLOCKED, old).body


def test_lists_by_a_baseline_are_called_that():
    by_baseline = replace(LISTS, model_version=None, baseline="co_reading")
    body = sections(first_mail(BLOCKED, by_baseline).body)
    assert ", baseline co_reading, 3 h old, for 15,000 readers (batch b-17)." in body["What readers see now"]
    assert body["What readers see now"].endswith("No model has been promoted yet.")


def test_before_the_first_publication_readers_see_nothing_and_the_mail_says_so():
    assert "No lists: none have been published yet." in first_mail(BLOCKED, None).body


def test_nobody_is_woken_for_lists_that_no_reader_has_yet():
    blocked = replace(BLOCKED, dag_id="recommend")
    assert first_mail(blocked, None).subject.startswith("[ticket] recommend failed")
    assert first_mail(blocked, "Unknown: the warehouse does not answer.").severity == "page"


def test_when_nobody_knows_what_readers_see_the_mail_says_that():
    body = sections(first_mail(BLOCKED, "Unknown: the warehouse does not answer.").body)
    assert body["What readers see now"] == "Unknown: the warehouse does not answer."


def test_a_task_that_was_killed_has_a_sentence_and_a_section_too():
    alert = first_mail(KILLED, LISTS)
    assert alert.subject.startswith("[ticket] recommend failed at score: It ended without an error message")
    assert "Airflow tried 3 times." in alert.body
    assert "/daybreak/runbook/task-killed" in alert.body
    assert "Log:" not in alert.body


def test_a_run_that_failed_as_a_whole_names_no_task():
    alert = first_mail(replace(KILLED, task_id="", tries=0, kind="", fact="The run took too long."), LISTS)
    assert alert.subject == "[ticket] recommend failed: The run took too long."


@pytest.mark.parametrize("task_id", ["promote", "publish"])
def test_a_failed_switch_does_not_claim_that_nothing_changed(task_id):
    body = sections(first_mail(replace(BLOCKED, task_id=task_id), LISTS).body)
    assert body["What was done"].startswith("The switch is one transaction")


LASTING, PASSING = "ValidationBlocked", "AuditFailed"
FRESH, STALE = replace(LISTS, stale_after_minutes=240), replace(LISTS, stale_after_minutes=150)


@pytest.mark.parametrize(
    ("dag_id", "kind", "failed_runs", "lists", "severity"),
    [
        ("recommend", LASTING, 1, FRESH, "page"),
        ("recommend", PASSING, 1, FRESH, "ticket"),
        ("recommend", PASSING, 2, FRESH, "page"),
        ("recommend", PASSING, 1, STALE, "page"),
        ("recommend", "", 1, FRESH, "ticket"),
        ("retrain", LASTING, 1, FRESH, "ticket"),
        ("retrain", LASTING, 1, STALE, "ticket"),
        ("retrain", LASTING, 3, FRESH, "page"),
        ("monitor", LASTING, 9, STALE, "ticket"),
        ("maintain", PASSING, 9, FRESH, "ticket"),
        ("newsroom", PASSING, 9, FRESH, "ticket"),
        ("rollback", LASTING, 9, STALE, "ticket"),
        ("a DAG of tomorrow", PASSING, 1, FRESH, "page"),
    ],
)
def test_a_failure_is_a_page_when_readers_are_or_will_soon_be_worse_off(dag_id, kind, failed_runs, lists, severity):
    trouble = understand(SETTINGS, replace(BLOCKED, dag_id=dag_id, kind=kind))
    assert severity_of(trouble, failed_runs, lists, NOW) == severity


@pytest.mark.parametrize(
    "theirs", [{"run_type": "manual"}, {"run_type": "backfill", "is_past": True}, {"is_past": True}]
)
def test_a_run_that_a_person_started_and_a_past_day_are_never_a_page(theirs):
    trouble = understand(SETTINGS, replace(BLOCKED, dag_id="recommend", **theirs))
    assert severity_of(trouble, 9, STALE, NOW) == "ticket"


def test_a_long_error_of_many_lines_makes_one_short_subject_and_keeps_its_words_in_the_body():
    fact = "first line\nBcc: everybody@example.org\n" + "word " * 100
    alert = first_mail(replace(BLOCKED, fact=fact), LISTS)
    assert "\n" not in alert.subject
    assert SUBJECT_LENGTH - 20 < len(alert.subject) <= SUBJECT_LENGTH
    assert alert.subject.endswith(" word …")
    assert fact in alert.body


def test_a_secret_never_leaves_the_house(tmp_path):
    settings = Settings(home=tmp_path, run_password=SecretStr("hunter2-hunter2"), api_password=SecretStr("id"))
    told = replace(
        KILLED, fact="postgresql://run:hunter2-hunter2@db did not answer", run_url="http://id/hunter2-hunter2"
    )
    trouble = printable(settings, understand(settings, told))
    assert trouble.title == "recommend failed at score: postgresql://run:***@db did not answer"
    assert trouble.links["Run"] == "http://id/***"


def test_characters_that_a_database_or_a_mail_refuses_are_replaced(tmp_path):
    told = replace(KILLED, fact="a\x00b: half a \ud83d smile")
    assert printable(Settings(home=tmp_path), understand(SETTINGS, told)).title.endswith("ab: half a ? smile")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(minutes=120), "2 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_an_age_in_words(age, words):
    assert in_words(age) == words


def test_every_alert_has_a_section_in_the_runbook_and_every_section_of_an_alert_is_linked():
    text = (PROJECT / "docs" / "runbook.md").read_text()
    titles = re.findall(r"^(##+) (.+)$", text, re.MULTILINE)
    chapters, written = (
        {title.lower().replace(" ", "-") for level, title in titles if level == mark} for mark in ("##", "###")
    )
    texts = [file.read_text() for file in (PROJECT / "include").rglob("*.py")]
    sent_to = {section for one in texts for section in re.findall(r"""runbook_link\(["']([a-z-]+)["']\)""", one)}
    rules = (PROJECT / "monitoring" / "rules.yml").read_text()
    sent_to |= set(re.findall(r"/daybreak/runbook/([a-z-]+)", rules))
    guides = [
        *GUIDES.values(),
        *CAUSES.values(),
        *CONDITIONS.values(),
        *OUTSIDE.values(),
        *WATCHED.values(),
        *HEARD.values(),
        ANY_RUN,
    ]
    assert written == ({guide.section for guide in guides} | sent_to) - chapters


def test_every_cause_is_an_error_that_exists():
    assert {name for name in CAUSES if name and not hasattr(errors, name)} == {"AirflowTaskTimeout"}
