"""The figures for Prometheus, read over HTTP from a filled installation, and the rules and dashboards that use them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from datetime import timedelta

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.settings import PROJECT
from include.operations import retention
from include.operations.metrics.endpoint import Endpoint
from include.operations.metrics.figures import FIGURES
from tests.parts.servers import free_port, write_env_file
from tests.worlds.figures import fill

MONITORING = PROJECT / "monitoring"
DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
RULES = [rule for group in yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"] for rule in group["rules"]]
OF_PROMETHEUS = {"up"}


def queries():
    """Every expression with the place that has it."""
    yield from ((rule["alert"], rule["expr"]) for rule in RULES)
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            yield from ((f"{file.stem}: {panel['title']}", target["expr"]) for target in panel["targets"])


def names_in(expression):
    """The metrics that an expression selects."""
    found = set()

    def look(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name)
        for part in ("expr", "lhs", "rhs", "vector_selector", "args"):
            below = getattr(node, part, None)
            for one in below if isinstance(below, list) else [below]:
                if isinstance(one, promql_parser.Expr):
                    look(one)

    look(promql_parser.parse(expression))
    return found


@pytest.fixture(scope="module")
def filled(airflow):
    """An installation in which everything has happened once."""
    fill(airflow)
    return airflow


@pytest.fixture
def scrape():
    """What an endpoint of these settings answers: samples by name, each as labels and value."""
    endpoints = []

    def look(settings):
        write_env_file(settings)
        endpoint = Endpoint()
        endpoint.keep(settings)
        endpoints.append(endpoint)
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
        found = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    yield look
    for endpoint in endpoints:
        if endpoint.stop:
            endpoint.stop()


@pytest.fixture
def settings(filled, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(filled.home))
    return filled.model_copy(update={"metrics_port": free_port()})


def test_every_figure_is_there_and_everything_that_rules_and_dashboards_use(settings, scrape):
    found = scrape(settings)
    assert {name.removesuffix("_total") for name in found} == {figure.name for figure in FIGURES}
    for place, expression in queries():
        assert names_in(expression) <= found.keys() | OF_PROMETHEUS, place


def test_figures_say_what_the_warehouse_says(settings, scrape):
    found = scrape(settings)

    def value(name, **labels):
        (found_value,) = [number for given, number in found[name] if given == labels]
        return found_value

    assert 3600 <= value("daybreak_lists_age_seconds") < 3700
    assert (value("daybreak_lists_readers"), value("daybreak_lists_full_readers")) == (3000, 2999)
    assert (value("daybreak_champion_version"), value("daybreak_questions_open")) == (3, 1)
    assert 48 * 3600 <= value("daybreak_champion_data_age_seconds") < 48 * 3600 + 100
    assert value("daybreak_verdicts_total", decision="keep") == value("daybreak_rejections_in_a_row") == 1
    assert value("daybreak_incidents_open", severity="page") == 0
    assert value("daybreak_outbox_waiting", channel="mail") == 1
    assert 3600 <= value("daybreak_outbox_oldest_age_seconds", channel="mail") < 3700
    assert value("daybreak_heartbeat_age_seconds", component="scheduler") < 100
    stage = {"dag": "retrain", "stage": "validate"}
    assert value("daybreak_stage_duration_seconds", **stage) == 60
    assert (value("daybreak_stage_cpu_seconds", **stage), value("daybreak_stage_rows", **stage)) == (55, 999)
    assert value("daybreak_stage_memory_bytes", **stage) == 300 * 2**20
    assert value("daybreak_dag_duration_seconds", dag="retrain") == 3660
    assert value("daybreak_dag_success_timestamp_seconds", dag="recommend") > value(
        "daybreak_dag_failure_timestamp_seconds", dag="recommend"
    ), "a command counts for its DAG"
    assert value("daybreak_quarantined_rows", dag="retrain", table="articles", publisher="Gazette") == 4
    assert value("daybreak_drift_moved", column="reads.word_count") == 1
    assert value("daybreak_window_read_seconds") == 900
    assert value("daybreak_usage_list_reads", region="Africa") == 50
    assert value("daybreak_usage_read_seconds", region="all", lists="not shown") == 2000


def test_the_last_success_of_a_dag_lasts_for_as_long_as_the_dag_is_broken(fresh_warehouse, scrape, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(fresh_warehouse.home))
    settings = fresh_warehouse.model_copy(update={"metrics_port": free_port()})
    worked_at = now() - timedelta(days=200)
    with connect(settings) as warehouse:
        for run, status, days in (("before", "done", 201), ("last", "done", 200), ("broken", "failed", 1)):
            at = now() - timedelta(days=days)
            warehouse.execute(
                "insert into ops.runs (run_id, stage, as_of, status, started_at, finished_at)"
                " values (%s, 'train', %s, %s, %s, %s)",
                [f"retrain/{run}", at, status, at, at],
            )
    retention.sweep(settings, now())
    ((labels, value),) = scrape(settings)["daybreak_dag_success_timestamp_seconds"]
    assert (labels, value) == ({"dag": "retrain"}, pytest.approx(worked_at.timestamp(), abs=60))
    with connect(settings) as warehouse:
        kept = warehouse.execute("select run_id from ops.runs order by run_id").fetchall()
    assert kept == [("retrain/broken",), ("retrain/last",)]


def test_a_warehouse_that_is_away_costs_its_own_figures_alone(settings, scrape):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = scrape(settings.model_copy(update={"postgres_port": silent.getsockname()[1]}))
    assert found["daybreak_warehouse_up"] == [({}, 0.0)]
    assert found["daybreak_state_free_bytes"][0][1] > 0
    assert "daybreak_lists_age_seconds" not in found


def test_a_port_that_is_taken_costs_the_sentinel_no_round(settings, capfd):
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.metrics_port))
        other.listen(1)
        endpoint = Endpoint()
        endpoint.keep(settings)
    assert endpoint.stop is None
    assert f"metrics: port {settings.metrics_port} cannot be used" in "".join(capfd.readouterr())
    endpoint.keep(settings)
    assert endpoint.stop
    endpoint.stop()


def test_every_dashboard_has_panels_of_its_own_and_a_name():
    named = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert [one["uid"] for one in named] == [file.stem for file in DASHBOARDS]
    for dashboard in named:
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) > 3


def test_prometheus_and_alertmanager_accept_their_files():
    tools = {"promtool": ["check", "config", "prometheus.yml"], "amtool": ["check-config", "alertmanager.yml"]}
    if not any(map(shutil.which, tools)):
        pytest.skip("neither promtool nor amtool is installed")
    for tool, words in tools.items():
        if shutil.which(tool):
            done = subprocess.run([tool, *words], cwd=MONITORING, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
