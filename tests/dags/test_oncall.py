"""What on-call is told of a failure, by a task that could speak and by a run whose task could not."""

from __future__ import annotations

import email
import email.policy
import json
import socket
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import Mock
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller

from include.core.errors import Finding, ValidationBlocked
from include.core.settings import load_settings
from tests.dags.contexts import TICK, Ti, context


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """An installation whose warehouse does not answer, so that every alert goes straight to the mail server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DAYBREAK_POSTGRES_PORT", str(probe.getsockname()[1]))
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("DAYBREAK_AIRFLOW_PORT", "8080")
    return load_settings()


@pytest.fixture
def mails(monkeypatch):
    """The mails that a local server received through the connection `smtp_default`."""
    received = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            received.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            return "250 OK"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.org"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    yield received
    controller.stop()


def blocked():
    error = ValidationBlocked("12 % of rows are bad.", hint="open the report.")
    error.report = "validation/x/index.html"
    return error


def text_of(mail):
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def failure(settings, **more):
    from daybreak_airflow.oncall import failure_of

    return failure_of(settings, context("scheduled", interval_end=TICK) | more)


def test_a_task_that_failed_tells_all_it_knows(settings):
    told = failure(settings, exception=blocked())
    assert (told.dag_id, told.task_id, told.run_id, told.run_type) == ("retrain", "train", "scheduled__1", "scheduled")
    assert (told.as_of, told.tries) == (TICK, 1)
    assert (told.kind, told.fact, told.hint) == ("ValidationBlocked", "12 % of rows are bad.", "open the report.")
    assert told.log_url == "http://airflow/log"
    assert told.run_url == "http://127.0.0.1:8080/dags/retrain/runs/scheduled__1"
    assert told.report_url == "http://127.0.0.1:8080/daybreak/reports/validation/x/index.html"


def test_a_failed_validation_is_one_mail_that_names_every_check_whoever_reports_it(settings, mails):
    from daybreak_airflow.oncall import Oncall

    findings = (
        Finding("reading_events", "EVT103", "kind is known", "30 % break it.", 1200, ("17", "18", "19")),
        Finding("articles", "ART103", "title is there", "5 % break it.", 70, ("9003",)),
    )
    error = ValidationBlocked("Two checks failed.", hint="look.", report="validation/x/index.html", findings=findings)
    of = context("scheduled", interval_end=TICK)
    Oncall()(of | {"exception": error})
    Oncall()(of | {"exception": error, "ti": None, "reason": "task_failure"})
    [mail] = mails
    text = text_of(mail)
    assert (
        mail["Subject"]
        == "[page] reading_events: retrain failed at train: 30 % break it. [EVT103] (1 more check failed)"
    )
    for part in (
        "- reading_events: 30 % break it. For example 17, 18, 19. [EVT103]",
        "- articles: 5 % break it. For example 9003. [ART103]",
        "Data Docs: http://127.0.0.1:8080/daybreak/reports/validation/x/index.html",
        "Runbook: http://127.0.0.1:8080/daybreak/runbook/validation-blocked",
    ):
        assert part in text


def test_a_later_task_leads_to_the_report_of_the_validation_before_it(settings):
    ti = Ti()
    ti.xcoms["validate", "return_value"] = {"facts": {"report": "validation/y/index.html"}}
    told = failure(settings, exception=ValueError("a bug\nin two lines"), ti=ti)
    assert told.fact == "ValueError: a bug"
    assert told.report_url.endswith("/daybreak/reports/validation/y/index.html")


def test_a_run_whose_task_was_killed_tells_what_is_left(settings):
    told = failure(settings, reason="task_failure")
    assert (told.task_id, told.kind, told.fact) == ("train", "", "")


def test_a_run_that_was_too_slow_says_so(settings):
    told = failure(settings, reason="timed_out", ti=None)
    assert (told.task_id, told.kind) == ("", "AirflowTaskTimeout")
    assert told.fact == "The run took longer than its time limit."


def test_a_context_with_next_to_nothing_still_makes_an_alert(settings):
    from daybreak_airflow.oncall import failure_of
    from include.alerts.wording import understand

    told = failure_of(settings, {"dag": SimpleNamespace(dag_id="retrain", task_ids=[]), "run_id": "r", "reason": "x"})
    assert understand(settings, told).subject == "retrain"
    assert (told.run_id, told.is_of_run, told.is_past) == ("r", True, False)


def test_a_run_that_failed_at_its_own_moment_is_told_without_one(settings):
    assert failure(settings, params={"as_of": "soon"}, exception=ValueError("x")).as_of is None


def test_a_failure_reaches_the_mailbox_once_though_task_and_run_both_report_it(settings, mails):
    from daybreak_airflow.oncall import Oncall

    Oncall()(context("scheduled", interval_end=TICK) | {"exception": blocked()})
    Oncall()(context("scheduled", interval_end=TICK) | {"reason": "task_failure"})
    (mail,) = mails
    assert mail["Subject"] == "[page] source: retrain failed at train: 12 % of rows are bad."
    assert (mail["From"], mail["To"]) == ("airflow@example.org", "oncall@localhost")
    assert "/daybreak/runbook/validation-blocked" in text_of(mail)


def test_a_failed_backfill_is_a_ticket(settings, mails):
    from daybreak_airflow.oncall import Oncall

    Oncall()(context("backfill", interval_end=TICK) | {"exception": blocked()})
    assert mails[0]["Subject"].startswith("[ticket] ")


@pytest.mark.parametrize("form", [{"dryrun": True}, {"as_of": "2026-11-21"}], ids=["unknown field", "in the future"])
@pytest.mark.parametrize("reported_by", [{"exception": ValueError("refused")}, {"ti": None, "reason": "task_failure"}])
def test_a_refused_form_wakes_nobody_whoever_reports_it(settings, mails, form, reported_by):
    from daybreak_airflow.oncall import Oncall

    Oncall()(context("manual", **form) | reported_by)
    assert not mails
    assert not (settings.home / "alerts").exists()


def test_a_refusal_by_the_task_is_noted_for_the_run_that_reports_later(settings, mails, monkeypatch):
    from daybreak_airflow.oncall import Oncall
    from include.alerts import reporting
    from include.core.errors import FormRefused

    noted = []
    monkeypatch.setattr(reporting, "refuse", lambda settings, *run: noted.append(run))
    Oncall()(context("manual") | {"exception": FormRefused("v9 was never champion.", hint="choose v2.")})
    assert (noted, mails) == ([("retrain", "manual__1")], [])


@pytest.mark.parametrize(
    ("run_type", "form", "is_past"),
    [
        ("scheduled", {}, False),
        ("manual", {}, False),
        ("manual", {"as_of": "2026-11-19"}, True),
        ("backfill", {}, True),
    ],
)
def test_a_run_as_of_a_moment_that_a_person_named_is_past(settings, run_type, form, is_past):
    from daybreak_airflow.oncall import success_of

    interval_end = TICK if run_type in ("scheduled", "backfill") else None
    told = success_of(settings, context(run_type, interval_end=interval_end, **form))
    assert (told.dag_id, told.run_id, told.is_past) == ("retrain", f"{run_type}__1", is_past)
    assert failure(settings, params={"as_of": None}).is_past is False


@pytest.fixture
def told(monkeypatch, settings):
    """What the callbacks of a DAG tell, in place of writing it to a warehouse."""
    from include.alerts import reporting

    told = []
    monkeypatch.setattr(reporting, "report_success", lambda settings, success, send: told.append(success))
    monkeypatch.setattr(reporting, "report", lambda settings, failure, send: told.append(failure))
    return told


def call_back(dags, dag_id, task_id, run_type, *, is_failure, **form):
    """Let Airflow's own dag-processor call what a DAG has for the end of a run; without a task all were skipped."""
    from airflow.callbacks.callback_requests import DagCallbackRequest
    from airflow.dag_processing import processor

    run_id = f"{run_type}__1"
    ended = context(run_type, interval_end=TICK if run_type != "manual" else None, **form)["dag_run"]
    ti = {"id": uuid4(), "task_id": task_id, "dag_id": dag_id, "run_id": run_id, "try_number": 1, "map_index": -1}
    about = {"dag_run": ended.model_copy(update={"dag_id": dag_id}), "last_ti": {**ti, "dag_version_id": uuid4()}}
    request = DagCallbackRequest(
        filepath="x",
        bundle_name="b",
        bundle_version=None,
        dag_id=dag_id,
        run_id=run_id,
        context_from_server=about if task_id else None,
        is_failure_callback=is_failure,
        msg="it ended",
    )
    bag = SimpleNamespace(dags=dags, get_dag=dags.get)
    log = Mock()
    processor._execute_dag_callbacks(bag, request, log)
    assert not log.exception.called


def test_a_run_that_its_mode_ended_early_speaks_for_itself_only(dags, told, monkeypatch):
    call_back(dags, "retrain", "validate", "manual", is_failure=False, mode="data")
    call_back(dags, "retrain", "train", "manual", is_failure=False, mode="off")
    call_back(dags, "retrain", "promote", "manual", is_failure=False, mode="dry_run")
    monkeypatch.setenv("DAYBREAK_GATE_MODE", "off")
    call_back(dags, "retrain", "train", "manual", is_failure=False)
    assert [one.ended_early for one in told] == [True, True, False, False]


def test_airflow_tells_of_a_success_with_the_moment_it_worked_as_of(dags, told):
    call_back(dags, "recommend", "publish", "scheduled", is_failure=False)
    call_back(dags, "recommend", "publish", "manual", is_failure=False, as_of="2026-11-19")
    call_back(dags, "retrain", "", "backfill", is_failure=False)
    assert [(one.dag_id, one.run_id, one.as_of, one.is_past) for one in told] == [
        ("recommend", "scheduled__1", TICK, False),
        ("recommend", "manual__1", datetime(2026, 11, 19, tzinfo=UTC), True),
    ]


def test_airflow_tells_of_a_failure_without_the_error(dags, told):
    call_back(dags, "rollback", "roll_back", "manual", is_failure=True, to=9, why="it is bad")
    (failure,) = told
    assert (failure.dag_id, failure.task_id, failure.kind, failure.is_of_run) == ("rollback", "roll_back", "", True)


def test_a_mail_server_that_is_down_raises_nothing(settings, monkeypatch):
    from daybreak_airflow.oncall import Oncall

    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": 1,
        "extra": {"disable_ssl": "true", "disable_tls": True},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    Oncall()(context("scheduled", interval_end=TICK) | {"exception": blocked()})
    assert len(list((settings.home / "alerts").iterdir())) == 1


@pytest.mark.parametrize(
    ("connection", "server"),
    [
        ({"host": "mx", "extra": {}}, ("mx", 465, True, True)),
        ({"host": "mx", "extra": {"disable_ssl": True}}, ("mx", 587, False, True)),
        ({"host": "mx", "extra": {"disable_ssl": "true", "disable_tls": "true"}}, ("mx", 25, False, False)),
        ({"host": "mx", "port": 2525, "extra": {"disable_ssl": True, "disable_tls": True}}, ("mx", 2525, False, False)),
    ],
)
def test_a_connection_means_what_it_means_to_airflow(settings, monkeypatch, connection, server):
    from daybreak_airflow.oncall import channels
    from include.adapters import smtp
    from include.alerts.wording import Alert

    sent = []
    monkeypatch.setattr(smtp, "send", lambda to, *args, **kwargs: sent.append(to))
    more = {"conn_type": "smtp", "login": "ada", "password": "word"}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection | more))
    channels(settings)["mail"].send(Alert("i", "page", "s", "b"))
    assert (sent[0].host, sent[0].port, sent[0].is_ssl, sent[0].is_starttls) == server
    assert (sent[0].login, sent[0].password, sent[0].sender) == ("ada", "word", settings.mail_from)
