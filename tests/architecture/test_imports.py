"""Who may import whom: one row per room of `include/`, in the order of the flow. A new arrow is decided here."""

from __future__ import annotations

import ast

from include.core.settings import PROJECT
from tests.architecture.source import calls, dotted, files, imports, name, tree

# room -> the rooms it may import; `pipeline` and `operations` may import all that stand above them
ROOMS = {
    "core": set(),
    "adapters": {"core"},
    "data": {"core", "adapters"},
    "validation": {"core", "adapters", "data"},
    "alerts": {"core", "adapters", "data"},
    "features": {"core", "adapters", "data", "validation"},
    "models": {"core", "adapters", "data", "features"},
    "lists": {"core", "adapters", "data", "features", "models"},
    "judging": {"core", "adapters", "data", "features", "models", "lists"},
    "monitoring": {"core", "adapters", "data", "judging"},
}
ROOMS |= {"pipeline": set(ROOMS)}
ROOMS |= {"operations": set(ROOMS)}
# What a model may know besides its own files: nothing with a database, a clock or a setting.
PURE = (
    "include.adapters.duck",
    "include.adapters.skops_files",
    "include.core.contract",
    "include.core.errors",
    "include.features",
    "include.models",
)
PLUGINS = {"pipeline", "operations", "alerts", "core"}
MOST_ARROWS = 75

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
    "prometheus_client",
    "skops",
    "smtplib",
}
# What of psycopg says nothing about connections: composing identifiers, shaping rows, wrapping JSON.
HARMLESS = ("psycopg.sql", "psycopg.rows", "psycopg.types")
VENDORS_ELSEWHERE = {
    (
        "include/operations/demo/newsroom/play.py",
        "psycopg",
    ): "the demo publisher is a stranger to Daybreak and has a database of its own",
    (
        "include/operations/launcher/preparations.py",
        "psycopg",
    ): "a table that is not there yet is an answer when services start",
    (
        "include/operations/launcher/probes.py",
        "smtplib",
    ): "asks the mail catcher whether it answers, as any client would",
    ("include/operations/demo/mailbox/__main__.py", "aiosmtpd"): "is the mail catcher",
}

# Reads the environment or sets it, and why it may.
ENVIRONMENT = {
    "include/core/settings.py": "parses the settings, once",
    "include/operations/cli/answer.py": "asks whether the user's terminal shows colours",
    "include/operations/launcher/environment.py": "makes the environment that services start with",
    "include/operations/launcher/look.py": "hands the user's environment on to psql",
    "include/operations/launcher/airflow_local_settings.py": "runs inside Airflow and reads Airflow's address",
    "include/adapters/gx.py": "switches a vendor's telemetry off",
    "include/adapters/quiet_feast.py": "keeps a vendor's folder from being made",
    "include/adapters/evidently_report.py": "switches a vendor's telemetry off",
    "include/adapters/mlflow_client.py": "switches a vendor's telemetry and progress bars off",
}
# Asks what time it is, and why it may; everybody else is told by as_of.
CLOCK_READERS = {
    "include/alerts/channels.py": "stamps what it sends",
    "include/alerts/outbox.py": "stamps when an alert was raised",
    "include/alerts/reporting.py": "says when an incident began and ended, and how old the lists are by then",
    "include/alerts/waiting_room.py": "stamps when a mail was sent",
    "include/models/registry.py": "says when a training began and ended",
    "include/operations/cli/__init__.py": "says how old the lists are; tunes as of the last midnight",
    "include/operations/cli/alerts.py": "a mute begins when it is typed; says how old incidents are",
    "include/operations/cli/backfill.py": "refuses a backfill of the future",
    "include/operations/cli/backtest.py": "refuses a backtest of the future",
    "include/operations/cli/decisions.py": "a freeze begins when it is typed",
    "include/operations/cli/doctor.py": "asks what lies in the future",
    "include/operations/cli/history.py": "says how long ago a run began and how soon the next one comes",
    "include/operations/cli/newsroom.py": "plays the demo newsroom up to the present",
    "include/operations/cli/runs.py": "tells one run from another, and chooses an as_of when the user gave none",
    "include/operations/cli/versions.py": "tells one try from another",
    "include/operations/demo/mailbox/store.py": "stamps when a mail came in",
    "include/operations/demo/rehearsals/fingerprint.py": "which holds are in force is about now",
    "include/operations/demo/rehearsals/mending.py": "says that its process still goes on",
    "include/operations/demo/rehearsals/plays.py": "an editor marks an article now, and data is late by now",
    "include/operations/demo/rehearsals/rehearse.py": "a rehearsal begins now; says how soon a scheduled run comes",
    "include/operations/demo/rehearsals/stage.py": "tells one run from another; says that its process still goes on",
    "include/operations/doctor/database.py": "holds the database's clock against this one",
    "include/operations/launcher/files.py": "stamps lines of a log",
    "include/operations/launcher/foreground.py": "says when a service began to run",
    "include/operations/launcher/keeper.py": "says when a service began to run",
    "include/operations/launcher/probes.py": "says how long ago the sentinel looked",
    "include/operations/launcher/up.py": "plays the demo newsroom up to the present",
    "include/operations/metrics/endpoint.py": "figures are about the present",
    "include/operations/sentinel/__main__.py": "looks at the present, every minute",
    "include/operations/status.py": "which holds are in force is about now",
    "include/pipeline/backtesting.py": "stamps the figures that MLflow shows",
    "include/pipeline/deciding.py": "a freeze ends by the clock on the wall; stamps an answer",
    "include/pipeline/going_back.py": "a freeze ends by the clock on the wall",
    "include/pipeline/holding.py": "a freeze ends by the clock on the wall; stamps a hold",
    "include/pipeline/judging.py": "which holds are in force is about now; stamps the figures that MLflow shows",
    "include/pipeline/landing.py": "notes when a message was heard, and whether its time has come",
    "include/pipeline/replaying.py": "stamps when a row was tried again",
    "include/pipeline/run.py": "stamps when a stage began and ended",
    "include/pipeline/taking_down.py": "stamps a takedown",
    "include/pipeline/tuning.py": "says in MLflow when a trial ended",
    "plugins/daybreak_airflow/runs.py": "the edge that chooses an as_of when a run has none",
    "plugins/daybreak_airflow/ui/actions.py": "says how old lists are; a mute begins when it is confirmed",
    "plugins/daybreak_airflow/ui/reports.py": "says how long a run has been going on",
    "plugins/daybreak_airflow/ui/status.py": "says how old the lists are and how soon a run comes",
    "plugins/daybreak_airflow/tasks/waiting.py": "sees the time to wait for data run out",
}
WALL_CLOCK = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.localtime")


def room_of(path):
    """The room that a file of include/ stands in; empty for the doorstep, `include/__init__.py` and `__main__.py`."""
    first, *more = path.relative_to(PROJECT / "include").parts
    return first if more else ""


def rooms_used(path):
    """The rooms that a file imports from."""
    return {one.split(".")[1] for one in imports(path) if one.startswith("include.") and one.split(".")[1] in ROOMS}


def test_every_folder_of_include_is_a_room_and_every_room_a_folder():
    assert {room_of(path) for path in files("include")} - {""} == set(ROOMS)


def test_a_room_imports_only_the_rooms_of_its_row():
    guilty = {
        f"{name(path)} imports {used}"
        for path in files("include")
        for used in rooms_used(path) - {room_of(path)}
        if room_of(path) and used not in ROOMS[room_of(path)]
    }
    assert guilty == set()


def test_no_import_runs_up_the_table():
    order = list(ROOMS)
    assert all(order.index(used) < order.index(room) for room, row in ROOMS.items() for used in row)


def test_few_arrows_run_between_rooms():
    arrows = {
        (room_of(path), used)
        for path in files("include")
        for used in rooms_used(path) - {room_of(path)}
        if room_of(path)
    }
    assert 30 < len(arrows) <= MOST_ARROWS


def test_every_arrow_that_is_allowed_is_used():
    used = {(room_of(path), one) for path in files("include") for one in rooms_used(path)}
    unused = {
        (room, one) for room, row in ROOMS.items() if room not in ("pipeline", "operations") for one in row
    } - used
    assert unused == set()


def test_models_know_no_database_no_clock_and_no_settings():
    guilty = {
        f"{name(path)} imports {one}"
        for path in files("include/models/kinds")
        for one in imports(path)
        if one.startswith("include.") and not one.startswith(PURE)
    }
    assert guilty == set()


def test_only_the_command_line_the_launcher_and_rehearsals_know_the_demo_publisher():
    may = tuple(f"include/operations/{part}" for part in ("demo/newsroom", "demo/rehearsals", "cli", "launcher"))
    guilty = [
        name(path)
        for path in files("include")
        if not name(path).startswith(may) and "include.operations.demo.newsroom" in " ".join(imports(path))
    ]
    assert guilty == []


def test_the_demo_publisher_knows_nothing_of_the_loop():
    guilty = [
        name(path)
        for path in files("include/operations/demo/newsroom")
        if not rooms_used(path) <= {"core", "adapters", "operations"}
    ]
    assert guilty == []


def test_the_domain_does_not_know_airflow():
    guilty = [
        name(path)
        for path in files("include", "feature_repo")
        if any(i.split(".")[0] == "airflow" for i in imports(path))
    ]
    assert guilty == []


def test_plugins_know_the_pipeline_and_what_people_use():
    guilty = {
        f"{name(path)} imports {used}" for path in files("plugins") for used in rooms_used(path) if used not in PLUGINS
    }
    assert guilty == set()


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
    allowed = ("__future__", "airflow", "datetime", "daybreak_airflow", "include.core.settings.Settings", "typing")
    for path in files("dags"):
        assert {one for one in imports(path) if not one.startswith(allowed)} == set(), name(path)


def test_feature_declarations_know_feast_and_the_settings_only():
    allowed = ("__future__", "datetime", "feast", "include.core.settings", "pathlib", "sys")
    for path in files("feature_repo"):
        assert {one for one in imports(path) if not one.startswith(allowed)} == set(), name(path)


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
    assert found == {("include/core/clock.py", "datetime.now")}


def test_only_records_and_edges_ask_what_time_it_is():
    found = {
        name(path)
        for path in files("include", "feature_repo", "plugins", "dags")
        if "include.core.clock.now" in imports(path)
    }
    assert found == set(CLOCK_READERS)
