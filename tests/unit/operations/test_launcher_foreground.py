"""One service in a container: it ends when the service does, or when something is wrong that nobody else would see."""

from __future__ import annotations

import json
import signal
import sys
import time

import pytest

from include.core.errors import ServiceError
from include.core.settings import Settings
from include.operations.launcher import environment, foreground
from include.operations.launcher.services import Service


@pytest.fixture
def settings(tmp_path):
    return Settings(
        home=tmp_path,
        listen_host="0.0.0.0",
        airflow_host="api-server",
        mlflow_host="mlflow",
        mlflow_public_url="https://mlflow.example.org",
        smtp_host="mail.example.org",
        smtp_port=587,
        smtp_security="starttls",
        smtp_user="daybreak",
        smtp_secret="s3cret",
    )


@pytest.fixture(autouse=True)
def short_times(tmp_path, monkeypatch):
    monkeypatch.setattr(foreground, "HEALTHY", tmp_path / "healthy")
    monkeypatch.setattr(foreground, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(foreground, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(foreground, "MUTE_SECONDS", 0.3)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def a_service(code, ready, **more):
    command = [sys.executable, "-c", code]
    return Service("thing", lambda settings: command, ready, wave=1, patience_seconds=0.5, grace_seconds=5, **more)


def test_the_container_ends_with_the_code_of_the_service(settings):
    assert foreground.run(settings, a_service("raise SystemExit(7)", lambda *_: True)) == 7


def test_an_end_without_being_told_is_never_success(settings):
    assert foreground.run(settings, a_service("pass", lambda *_: True)) == 1


def test_a_service_that_answers_is_shown_as_healthy_until_it_ends(settings):
    seen = []

    def ready(*_):
        seen.append(foreground.HEALTHY.exists())
        return True

    foreground.run(settings, a_service("import time; time.sleep(0.5)", ready))
    assert seen[0] is False
    assert seen[-1] is True
    assert not foreground.HEALTHY.exists()


def test_a_service_that_never_answers_is_ended(settings, capsys):
    assert foreground.run(settings, a_service("import time; time.sleep(60)", lambda *_: False)) == 1
    assert "thing does not answer" in capsys.readouterr().out


def test_a_probe_that_cannot_tell_ends_nobody_who_has_answered(settings):
    answers = iter([True])
    assert (
        foreground.run(settings, a_service("import time; time.sleep(1); exit(3)", lambda *_: next(answers, None))) == 3
    )


def test_a_service_that_lost_a_helper_is_ended_once_it_is_not_busy(settings, capsys):
    helpers, work = iter([frozenset({1, 2})]), iter([True, True])
    service = a_service(
        "import time; time.sleep(60)",
        lambda *_: True,
        helpers=lambda _: next(helpers, frozenset({2, 3})),
        busy=lambda _: next(work, False),
    )
    assert foreground.run(settings, service) == 1
    assert "lost a worker" in capsys.readouterr().out


def test_a_service_that_does_not_start_its_work_is_ended_once_it_is_no_longer_young(settings, capsys, monkeypatch):
    monkeypatch.setattr(foreground, "YOUNG_SECONDS", 0.5)
    begin, asked = time.monotonic(), []

    def stuck(*_):
        asked.append(time.monotonic() - begin)
        if len(asked) < 3:
            raise ServiceError("PostgreSQL is away.", hint="wait.")  # an unknown answer ends nothing
        return True

    service = a_service("import time; time.sleep(60)", lambda *_: True, stuck=stuck)
    assert foreground.run(settings, service) == 1
    assert "has queued work but starts none" in capsys.readouterr().out
    assert (len(asked), min(asked) > 0.5) == (3, True)


def test_told_to_stop_it_passes_the_word_on_and_ends_well(settings):
    code = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(5)); time.sleep(60)"
    asked = iter([False] * 10)

    def ready(*_):
        if next(asked, None) is None:
            signal.raise_signal(signal.SIGTERM)
        return True

    assert foreground.run(settings, a_service(code, ready)) == 0


def test_mlflow_listens_for_other_containers_and_knows_the_names_it_is_called_by(settings):
    command = foreground.command_of(settings, foreground.named("mlflow"))
    last = {flag: command[at + 1] for at, flag in enumerate(command) if flag.startswith("--")}
    assert last["--host"] == "0.0.0.0"
    assert last["--allowed-hosts"] == "127.0.0.1:*,localhost:*,mlflow:*,mlflow.example.org"
    assert last["--cors-allowed-origins"] == "https://mlflow.example.org"


def test_other_services_run_as_on_a_laptop(settings):
    service = foreground.named("scheduler")
    assert foreground.command_of(settings, service) == service.command(settings)
    there, here = environment.of_airflow(settings, "scheduler"), foreground.environment_of(settings, service)
    changed = {name for name in there | here if there.get(name) != here.get(name)}
    assert changed <= {"TMPDIR", "AIRFLOW__API__HOST", "AIRFLOW_CONN_SMTP_DEFAULT"}


def test_airflow_mails_as_the_settings_say(settings):
    values = foreground.environment_of(settings, foreground.named("triggerer"))
    connection = json.loads(values["AIRFLOW_CONN_SMTP_DEFAULT"])
    assert connection["login"] == "daybreak"
    assert connection["extra"] == {"disable_ssl": True, "disable_tls": False, "from_email": "daybreak@localhost"}


def test_services_are_elsewhere_as_soon_as_one_is(settings):
    assert foreground.is_elsewhere(settings)
    assert not foreground.is_elsewhere(Settings(home=settings.home))


def test_a_service_that_answers_is_looked_after_again_and_again(settings):
    asked = []

    def tend(settings):
        asked.append(settings.home)
        raise ServiceError("PostgreSQL is away.", hint="wait.")

    assert foreground.run(settings, a_service("import time; time.sleep(0.5)", lambda *_: True, tend=tend)) == 1
    assert len(asked) > 1
