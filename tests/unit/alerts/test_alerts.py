"""What an alert says: everything a person woken at night needs, and nothing that must not be mailed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from include.alerts.guides import ANY_RUN, CAUSES, GUIDES
from include.alerts.outbox import printable
from include.alerts.wording import SUBJECT_LENGTH, Alert, Failure, LiveLists, compose
from include.core import errors
from include.core.clock import in_words
from include.core.errors import Finding
from include.core.settings import PROJECT, Settings

NOW = datetime(2026, 11, 20, 7, 10, tzinfo=UTC)
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
KILLED = Failure(dag_id="recommend", run_id="r", run_type="scheduled", task_id="score", tries=3)


def sections(body):
    """The body's paragraphs by their titles."""
    return dict(part.split("\n", 1) for part in body.split("\n\n"))


def test_the_subject_says_how_urgent_what_failed_and_why():
    assert compose(BLOCKED, LISTS, NOW).subject == (
        "[page] retrain failed at validate: 12 % of 4,000 rows of reading_events are bad (limit 2 %)."
    )


def test_the_body_answers_what_broke_what_readers_see_what_was_done_and_what_to_do():
    body = sections(compose(BLOCKED, LISTS, NOW).body)
    assert list(body) == ["What broke", "What readers see now", "What was done", "Next step", "Links"]
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
        "Runbook: docs/runbook.md#validation-blocked",
    ]


def test_a_failed_validation_names_table_check_count_and_example_keys_of_each_check_in_one_mail():
    alert = compose(replace(BLOCKED, findings=FINDINGS), LISTS, NOW)
    assert alert.subject == (
        "[page] retrain failed at validate: reading_events: 1,200 of 4,000 values (30.00%) break it; 2.00% may. "
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
    assert alert.incident == compose(BLOCKED, LISTS, NOW).incident


def test_a_mail_about_many_checks_stays_readable():
    body = sections(compose(replace(BLOCKED, findings=FINDINGS * 10), LISTS, NOW).body)
    lines = body["Checks that failed"].splitlines()
    assert len(lines) == 13
    assert lines[-1] == "... and 18 more, in the Data Docs."


def test_one_run_is_one_incident_whichever_task_failed():
    assert compose(BLOCKED, LISTS, NOW).incident == "retrain/scheduled__2026-11-20T03:00:00+00:00"
    assert compose(BLOCKED, LISTS, NOW).incident == compose(replace(BLOCKED, task_id="", kind=""), None, NOW).incident


def test_lists_beyond_their_age_are_called_stale():
    fresh, old = LISTS, replace(LISTS, stale_after_minutes=179)
    assert "STALE" not in compose(BLOCKED, fresh, NOW).body
    assert "3 h old, STALE" in compose(BLOCKED, old, NOW).body


def test_lists_by_a_baseline_are_called_that():
    by_baseline = replace(LISTS, model_version=None, baseline="co_reading")
    body = sections(compose(BLOCKED, by_baseline, NOW).body)
    assert ", baseline co_reading, 3 h old, for 15,000 readers (batch b-17)." in body["What readers see now"]
    assert body["What readers see now"].endswith("No model has been promoted yet.")


def test_before_the_first_publication_readers_see_nothing_and_the_mail_says_so():
    assert "No lists: none have been published yet." in compose(BLOCKED, None, NOW).body


def test_nobody_is_woken_for_lists_that_no_reader_has_yet():
    assert compose(BLOCKED, None, NOW).subject.startswith("[ticket] retrain failed")
    assert compose(BLOCKED, "Unknown: the warehouse does not answer.", NOW).severity == "page"


def test_when_nobody_knows_what_readers_see_the_mail_says_that():
    body = sections(compose(BLOCKED, "Unknown: the warehouse does not answer.", NOW).body)
    assert body["What readers see now"] == "Unknown: the warehouse does not answer."


def test_a_task_that_was_killed_has_a_sentence_and_a_section_too():
    alert = compose(KILLED, LISTS, NOW)
    assert alert.subject.startswith("[page] recommend failed at score: It ended without an error message")
    assert "Airflow tried 3 times." in alert.body
    assert "docs/runbook.md#task-killed" in alert.body
    assert "Log:" not in alert.body


def test_a_run_that_failed_as_a_whole_names_no_task():
    alert = compose(replace(KILLED, task_id="", tries=0, kind="", fact="The run took too long."), LISTS, NOW)
    assert alert.subject == "[page] recommend failed: The run took too long."


@pytest.mark.parametrize("task_id", ["promote", "publish"])
def test_a_failed_switch_does_not_claim_that_nothing_changed(task_id):
    body = sections(compose(replace(BLOCKED, task_id=task_id), LISTS, NOW).body)
    assert body["What was done"].startswith("The switch is one transaction")


@pytest.mark.parametrize(
    ("dag_id", "run_type", "severity"),
    [
        ("retrain", "scheduled", "page"),
        ("retrain", "asset_triggered", "page"),
        ("retrain", "manual", "page"),
        ("retrain", "backfill", "ticket"),
        ("recommend", "scheduled", "page"),
        ("recommend", "backfill", "ticket"),
        ("monitor", "scheduled", "ticket"),
        ("maintain", "scheduled", "ticket"),
        ("newsroom", "scheduled", "ticket"),
        ("tune", "scheduled", "ticket"),
        ("a DAG of tomorrow", "scheduled", "page"),
    ],
)
def test_severity(dag_id, run_type, severity):
    alert = compose(replace(BLOCKED, dag_id=dag_id, run_type=run_type), LISTS, NOW)
    assert alert.severity == severity
    assert alert.subject.startswith(f"[{severity}] ")


def test_a_long_error_of_many_lines_makes_one_short_subject_and_keeps_its_words_in_the_body():
    fact = "first line\nBcc: everybody@example.org\n" + "word " * 100
    alert = compose(replace(BLOCKED, fact=fact), LISTS, NOW)
    assert "\n" not in alert.subject
    assert SUBJECT_LENGTH - 10 < len(alert.subject) <= SUBJECT_LENGTH
    assert alert.subject.endswith(" word …")
    assert fact in alert.body


def test_a_secret_never_leaves_the_house(tmp_path):
    settings = Settings(home=tmp_path, run_password=SecretStr("hunter2-hunter2"), api_password=SecretStr("id"))
    alert = Alert("i", "page", "hunter2-hunter2", "postgresql://run:hunter2-hunter2@db did not answer")
    assert printable(settings, alert) == Alert("i", "page", "***", "postgresql://run:***@db did not answer")


def test_characters_that_a_database_or_a_mail_refuses_are_replaced(tmp_path):
    alert = printable(Settings(home=tmp_path), Alert("i", "page", "a\x00b", "half a \ud83d smile"))
    assert (alert.subject, alert.body) == ("ab", "half a ? smile")


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


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert():
    text = (PROJECT / "docs" / "runbook.md").read_text()
    written = {title.lower().replace(" ", "-") for title in re.findall(r"^### (.+)$", text, re.MULTILINE)}
    texts = [file.read_text() for file in (PROJECT / "include").rglob("*.py")]
    sent_to = {section for one in texts for section in re.findall(r"runbook\.md#([a-z-]+)", one)}
    assert written == {known.section for known in [*GUIDES.values(), *CAUSES.values(), ANY_RUN]} | sent_to


def test_every_cause_is_an_error_that_exists():
    assert {name for name in CAUSES if name and not hasattr(errors, name)} == {"AirflowTaskTimeout"}
