"""What the lines of a task's log say beside their text, as Airflow itself writes them."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from include.core.settings import Settings
from tests.dags.contexts import TICK, context


@pytest.fixture
def lines(monkeypatch, tmp_path):
    """The lines that Airflow writes of what a task logs, as data."""
    from airflow.sdk.log import configure_logging

    from include.core import settings

    monkeypatch.setattr(settings, "load_settings", lambda: Settings(home=tmp_path, run_password="hunter2-hunter2"))
    out = io.BytesIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()
    configure_logging(json_output=True, output=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_has_the_runs_moment_and_the_version_and_no_secret(lines):
    from daybreak_airflow.logs import add_version, begin

    begin(context("scheduled", interval_end=TICK))
    add_version({"kind": "verdict", "id": "x", "facts": {"challenger_version": 7, "champion_version": 3}})
    logging.getLogger("daybreak_airflow.passing").warning("run:hunter2-hunter2@db did not answer")
    (line,) = [one for one in lines() if "did not answer" in one["event"]]
    assert (line["as_of"], line["version"]) == (TICK.isoformat(), "7")
    assert line["event"] == "run:***@db did not answer"
    assert (line["level"], line["logger"]) == ("warning", "daybreak_airflow.passing")


@pytest.mark.parametrize(
    ("passed", "version"),
    [
        ({"kind": "model", "id": "4", "facts": {}}, "4"),
        ({"kind": "lists", "id": "b", "facts": {"model_version": 3}}, "3"),
        ({"kind": "snapshot", "id": "s", "facts": None}, None),
    ],
)
def test_a_version_is_that_of_the_reference_that_the_task_works_on(lines, passed, version):
    from daybreak_airflow.logs import add_version

    add_version(passed)
    logging.getLogger("daybreak_airflow.passing").warning("hello")
    assert lines()[-1].get("version") == version


def test_airflows_processes_write_json_by_one_setting(tmp_path):
    from include.operations.launcher.environment import of_airflow

    for kind, said in (("text", "False"), ("json", "True")):
        values = of_airflow(Settings(home=tmp_path, log_format=kind), "scheduler")
        assert values["AIRFLOW__LOGGING__JSON_LOGS"] == said
