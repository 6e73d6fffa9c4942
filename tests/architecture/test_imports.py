"""Who may know whom. A new edge is a decision: it is written down here, with its reason, or it is not made."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import calls, dotted, files, imports, name, tree

VENDORS = {
    "adbc_driver_postgresql",
    "aiosmtpd",
    "evidently",
    "feast",
    "fsspec",
    "great_expectations",
    "httpx",
    "mlflow",
    "psycopg",
    "optuna",
    "skops",
    "smtplib",
}
# What of psycopg says nothing about connections: composing identifiers, shaping rows, wrapping JSON.
HARMLESS = ("psycopg.sql", "psycopg.rows", "psycopg.types")
VENDORS_ELSEWHERE = {
    (
        "include/newsroom/play.py",
        "psycopg",
    ): "the demo publisher is a stranger to Daybreak and has a database of its own",
    ("include/launcher/preparations.py", "psycopg"): "a table that is not there yet is an answer when services start",
    ("include/launcher/probes.py", "smtplib"): "asks the mail catcher whether it answers, as any client would",
    ("include/mailbox/__main__.py", "aiosmtpd"): "is the mail catcher",
}

# stage -> the stages it may build on; everything else meets in pipeline.py
STAGES = {
    "day_files": set(),
    "snapshot": {"day_files"},
    "lateness": {"day_files", "snapshot"},
    "broken_rows": {"day_files", "snapshot"},
    "table_checks": {"snapshot"},
    "day_answers": {"broken_rows", "snapshot"},
    "validation": {"broken_rows", "day_answers", "snapshot", "table_checks"},
    "quarantine": set(),
    "mending": {"broken_rows", "day_files", "snapshot"},
    "features": {"snapshot"},
    "models": {"features"},
    "crowd": {"features", "snapshot"},
    "histories": set(),
    "artifact": {"crowd", "features", "histories", "models"},
    "budget": {"features"},
    "provenance": set(),
    "tuned": set(),
    "training": {"artifact", "budget", "features", "models", "provenance"},
    "registry": {"features", "models", "provenance", "training"},
    "resampling": set(),
    "mechanics": {"features", "lists", "models", "registry"},
    "slices": {"evaluation", "features", "models", "resampling"},
    "guardrails": set(),
    "live_lists": {"batch", "features", "guardrails", "lists", "models", "scoring"},
    "lists": {"features", "models"},
    "feature_audit": {"features"},
    "list_audit": set(),
    "evaluation": {"features", "models"},
    "backtest": {
        *("budget", "evaluation", "features", "lists", "models", "provenance", "resampling", "snapshot"),
    },
    "verdict": {"guardrails", "mechanics", "resampling", "slices"},
    "trial": {
        *("evaluation", "features", "guardrails", "lists", "mechanics", "models"),
        *("registry", "resampling", "slices", "verdict"),
    },
    "champion": set(),
    "holds": set(),
    "scoring": {"batch", "features", "list_audit", "lists", "models", "record", "registry"},
    "batch": set(),
    "monitoring": {"snapshot"},
    "profiles": {"day_files", "snapshot"},
    "volume": set(),
    "change": {"profiles"},
    "trend": set(),
    "propose": {"history", "profiles", "snapshot", "volume"},
    "skew": {"change", "features", "profiles"},
    "history": {"change", "day_files", "profiles", "snapshot", "volume"},
    "loading": set(),
    "retention": set(),
    "record": set(),
    "waiting": set(),
    "alerts": set(),
}
# Pages say in HTML what a stage found.
PAGES = {
    "retention_page": {"retention"},
    "card_page": set(),
    "trend_page": {"trend"},
    "validation_page": {"broken_rows", "snapshot", "trend", "trend_page"},
    "verdict_page": {"champion", "interval_plot", "verdict"},
    "interval_plot": {"resampling"},
    "lists_page": {"record", "trend", "trend_page"},
}
# What everybody may use, because it decides nothing.
GROUND = {
    "checks", "clock", "contract", "errors", "failures", "limits", "measure", "model_names", "references", "report",
    "settings", "store", "text_patterns",
}  # fmt: skip
# What strings stages together, or only looks: nobody imports it from below.
EDGE = {
    *("__main__", "backtest_words", "card", "cli", "fresh_process", "gate", "gate_words", "hindsight", "loading_words"),
    *("doctor", "doctor_words", "newsroom_words", "pipeline", "quarantine_words", "replay", "rollback"),
    *("tuning", "tuning_words"),
    *("propose_words", "registry_words", "reproduction", "tuning", "tuning_words"),
    *("server_env", "status"),
}  # fmt: skip
ROOMS = {"adapters", "launcher", "mailbox", "newsroom"}

# Reads the environment or sets it, and why it may.
ENVIRONMENT = {
    "include/settings.py": "parses the settings, once",
    "include/launcher/environment.py": "makes the environment that services start with",
    "include/launcher/look.py": "hands the user's environment on to psql",
    "include/launcher/airflow_local_settings.py": "runs inside Airflow and reads Airflow's address",
    "include/adapters/gx.py": "switches a vendor's telemetry off",
    "include/adapters/quiet_feast.py": "keeps a vendor's folder from being made",
    "include/adapters/evidently_report.py": "switches a vendor's telemetry off",
    "include/adapters/mlflow_registry.py": "switches a vendor's telemetry and progress bars off",
}
# Asks what time it is, and why it may; everybody else is told by as_of.
CLOCK_READERS = {
    "include/backtest_words.py": "refuses a backtest of what is yet to come",
    "include/gate.py": "a freeze ends by the clock on the wall; stamps an answer",
    "include/gate_words.py": "a freeze begins when it is typed",
    "include/rollback.py": "a freeze ends by the clock on the wall",
    "include/status.py": "which holds are in force is about now",
    "include/cli.py": "the edge that chooses an as_of when the user gave none",
    "include/newsroom_words.py": "plays the demo newsroom up to the present",
    "plugins/daybreak_airflow/as_of.py": "the edge that chooses an as_of when a run has none",
    "include/quarantine_words.py": "tells one replay from another when a person asks for two",
    "plugins/daybreak_airflow/waiting.py": "sees the time to wait for data run out",
    "include/record.py": "stamps when a stage began and ended",
    "include/registry_words.py": "tells one try from another",
    "include/replay.py": "stamps when a row was tried again",
    "include/alerts.py": "stamps when an alert was raised",
    "include/doctor/database.py": "holds the database's clock against this one",
    "include/doctor_words.py": "asks what lies in the future",
    "include/mailbox/store.py": "stamps when a mail came in",
    "include/launcher/files.py": "stamps lines of a log",
    "include/launcher/foreground.py": "says when a service began to run",
    "include/launcher/keeper.py": "says when a service began to run",
    "include/launcher/up.py": "plays the demo newsroom up to the present",
}
WALL_CLOCK = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.localtime")


def stage_of(path):
    """The module or package of include/ that a file belongs to."""
    return path.parts[path.parts.index("include") + 1].removesuffix(".py")


def test_the_domain_does_not_know_airflow():
    guilty = [
        name(path)
        for path in files("include", "feature_repo")
        if any(i.split(".")[0] == "airflow" for i in imports(path))
    ]
    assert guilty == []


def test_vendors_are_known_in_their_adapters_only():
    found = {
        (name(path), vendor)
        for path in files("include")
        if "adapters" not in path.parts
        for imported in imports(path)
        for vendor in [imported.split(".")[0]]
        if vendor in VENDORS and not imported.startswith(HARMLESS)
    }
    assert found == set(VENDORS_ELSEWHERE), "an exception is missing, or no longer needed"


def test_no_dag_knows_a_vendor_or_a_stage():
    allowed = ("__future__", "airflow", "datetime", "daybreak_airflow", "include.settings.Settings", "typing")
    for path in files("dags"):
        assert {one for one in imports(path) if not one.startswith(allowed)} == set(), name(path)


def test_feature_declarations_know_feast_and_the_settings_only():
    allowed = ("__future__", "datetime", "feast", "include.settings", "pathlib")
    for path in files("feature_repo"):
        assert {one for one in imports(path) if not one.startswith(allowed)} == set(), name(path)


@pytest.mark.parametrize("path", files("include"), ids=name)
def test_a_stage_builds_only_on_the_stages_it_may(path):
    stage = stage_of(path)
    if stage in ROOMS | EDGE | {"__init__"}:
        return
    used = {one.split(".")[1] for one in imports(path) if one.startswith("include.")} - {stage, "adapters"}
    allowed = GROUND if stage in GROUND else GROUND | {**STAGES, **PAGES}[stage]
    assert used <= allowed


def test_every_edge_that_is_allowed_is_used():
    used = {}
    for path in files("include"):
        used.setdefault(stage_of(path), set()).update(
            one.split(".")[1] for one in imports(path) if one.startswith("include.")
        )
    for stage, allowed in {**STAGES, **PAGES}.items():
        assert allowed <= used[stage], stage


def test_every_module_of_the_domain_has_its_place():
    modules = {stage_of(path) for path in files("include")} - {"__init__"}
    assert modules == {*STAGES, *PAGES} | GROUND | EDGE | ROOMS


def test_adapters_know_settings_errors_and_their_own_vocabulary_only():
    allowed = {"adapters", "checks", "contract", "errors", "settings"}
    for path in files("include/adapters"):
        used = {one.split(".")[1] for one in imports(path) if one.startswith("include.")}
        assert used <= allowed, name(path)


def test_daybreak_does_not_know_the_demo_publisher():
    may = ("include/newsroom", "include/cli.py", "include/launcher")
    guilty = [
        name(p) for p in files("include") if not name(p).startswith(may) and "include.newsroom" in " ".join(imports(p))
    ]
    assert guilty == []


def test_the_environment_is_read_where_it_is_written_down():
    found = {
        name(path)
        for path in files("include", "feature_repo", "plugins", "dags")
        for node in ast.walk(tree(path))
        if getattr(node, "attr", "") in ("environ", "getenv", "environb") and dotted(node).startswith("os.")
    }
    assert found == set(ENVIRONMENT)


def test_the_wall_clock_is_read_in_one_place():
    found = {
        (name(path), called)
        for path in files("include", "feature_repo", "plugins", "dags")
        for called, _ in calls(path)
        if called.endswith(WALL_CLOCK)
    }
    assert found == {("include/clock.py", "datetime.now")}


def test_only_records_and_edges_ask_what_time_it_is():
    found = {
        name(path)
        for path in files("include", "feature_repo", "plugins", "dags")
        if "include.clock.now" in imports(path)
    }
    assert found == set(CLOCK_READERS)
