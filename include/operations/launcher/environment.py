"""Configuration on a laptop: the file `daybreak.env`, and the environment that services start with.

`daybreak.env` holds settings that cannot have a default: generated passwords and chosen ports. Settings in the user's
environment are saved there too, so that a later command without that environment finds the services. Lines written by
hand stay as they are.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from include.adapters import warehouse
from include.adapters.mlflow_pages import PLUGIN
from include.adapters.smtp import MailServer
from include.core.settings import PROJECT, Settings, load_settings
from include.operations.launcher import executor, files, ports
from include.operations.launcher.processes import MARK, mark

FOREIGN = ("AIRFLOW", "MLFLOW_", "PG", MARK)  # may come from another installation, through the user's shell
FOREIGN_NAMES = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "TMPDIR")
AUTH_MANAGERS = {
    "simple": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "fab": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
}
NO_PROXY = "127.0.0.1,localhost"


def given() -> dict[str, str]:
    """Return the settings in the environment, by field name."""
    return {name[9:].lower(): value for name, value in os.environ.items() if name.startswith("DAYBREAK_") and value}


def complete(settings: Settings) -> Settings:
    """Return the settings with every password set and free ports; call it only while nothing runs."""
    by_user = given()
    values = {field: str(port) for field, port in ports.choose(settings, by_user).items()}
    for field in type(settings).model_fields:
        if field.endswith("_password"):
            values[field] = getattr(settings, field).get_secret_value() or secrets.token_urlsafe(18)
    store(settings.home, values)
    return load_settings()


def store(home: Path, values: Mapping[str, str]) -> None:
    """Set these lines of `daybreak.env` and keep the others."""
    path = home / files.ENV_FILE
    lines = path.read_text().splitlines() if path.exists() else ["# written by `make up`: ports and passwords"]
    wanted = {ports.variable(field): value for field, value in values.items()}
    kept = [line for line in lines if line.partition("=")[0].strip().upper() not in wanted]
    text = "\n".join([*kept, *(f"{name}={value}" for name, value in wanted.items())]) + "\n"
    if not path.exists() or path.read_text() != text or path.stat().st_mode & 0o077:
        files.write_private(path, text)


def of_service(settings: Settings, name: str) -> dict[str, str]:
    """Return the environment of a service: the user's, without other installations' variables, plus ours."""
    inherited = {
        key: value for key, value in os.environ.items() if key not in FOREIGN_NAMES and not key.startswith(FOREIGN)
    }
    no_proxy = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), NO_PROXY]))
    return inherited | {
        MARK: mark(settings.home, name),
        "SPT_NOENV": "1",  # otherwise setproctitle overwrites the environment, and with it the mark
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        "DAYBREAK_HOME": str(settings.home),
        "TMPDIR": str(settings.home / "tmp"),
        "TZ": "UTC",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning while waiting makes a busy machine ten times slower
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # five more processes, for features we do not use
    }


def users(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return the role and the password of each user of Airflow who has one; the admin's name wins."""
    known = {
        "viewer": ("viewer", settings.airflow_viewer_password),
        "operator": ("op", settings.airflow_operator_password),
        settings.airflow_user: ("admin", settings.airflow_password),
    }
    return {name: (role, secret.get_secret_value()) for name, (role, secret) in known.items() if secret}


def of_mlflow(settings: Settings, name: str) -> dict[str, str]:
    """Return the environment of MLflow's server, which finds our pages as a plugin of it."""
    common = of_service(settings, name)
    return common | {"PYTHONPATH": f"{common['PYTHONPATH']}{os.pathsep}{PLUGIN}"}


def of_airflow(settings: Settings, name: str) -> dict[str, str]:
    """Return the environment of an Airflow process; each value was chosen by measurement."""
    api = f"http://{settings.airflow_host}:{settings.airflow_port}"
    home = settings.home / "airflow"
    values = {
        "CORE__DAGS_FOLDER": PROJECT / "dags",
        "CORE__PLUGINS_FOLDER": PROJECT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DEFAULT_TIMEZONE": "utc",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": True,
        "CORE__PARALLELISM": executor.WORKERS,
        "CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "CORE__AUTH_MANAGER": AUTH_MANAGERS[settings.airflow_auth_manager],
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, (role, _) in users(settings).items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "DATABASE__SQL_ALCHEMY_CONN": warehouse.uri(settings, "airflow", "postgresql+psycopg2"),
        "LOGGING__JSON_LOGS": settings.log_format == "json",
        "API__HOST": settings.airflow_host,
        "API__PORT": settings.airflow_port,
        "API__BASE_URL": settings.airflow_url,
        "API__INSTANCE_NAME": "Daybreak",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,  # at 5, the default, a task of 0.1 s holds its slot for 5 s
        "WORKERS__MAX_FAILED_HEARTBEATS": 60,  # tasks outlive a restart of the API server
        "WORKERS__EXECUTION_API_TIMEOUT": 30,  # the first, cold call takes longer than the default of 5 s
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.25,  # ten tasks in a row: 4 s instead of 13 s
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 120,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 30,  # tasks of a killed scheduler are picked up soon
        "DAG_PROCESSOR__REFRESH_INTERVAL": 15,
    }
    mail = {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(_mail(settings))}
    return (
        of_service(settings, name)
        | {"AIRFLOW_HOME": str(home)}
        | {f"AIRFLOW__{key}": str(value) for key, value in values.items()}
        | mail
    )


def _mail(settings: Settings) -> dict[str, object]:
    server = MailServer.of(settings)
    extra = {
        "disable_ssl": not server.is_ssl,
        "disable_tls": not server.is_starttls,
        "from_email": server.sender,
    }
    connection: dict[str, object] = {"conn_type": "smtp", "host": server.host, "port": server.port, "extra": extra}
    return connection | ({"login": server.login, "password": server.password} if server.login else {})
