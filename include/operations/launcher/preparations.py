"""Steps before a service starts and once it answers; each is safe and quick to repeat."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from include.adapters import embedded_postgres, warehouse
from include.core.errors import ServiceError, SettingsError
from include.core.settings import PROJECT, Settings
from include.data.store import digest_file, digest_of
from include.operations.launcher import connections, environment, files, pools
from include.operations.launcher.processes import Process, identify

AUTH_PACKAGES = {"fab": "apache-airflow-providers-fab"}


def data_folder(settings: Settings) -> Path:
    """Return the data folder of the embedded PostgreSQL."""
    return settings.home / "postgres" / "data"


def before_postgres(settings: Settings) -> None:
    """Create the data folder and remove the remains of a killed server."""
    data = data_folder(settings)
    embedded_postgres.clear_killed(data)
    embedded_postgres.init(data, warehouse.password(settings, "postgres"), files.log_path(settings.home, "postgres"))


def find_postgres(settings: Settings) -> Process | None:
    """Return the running server, even if no record names it."""
    pid = embedded_postgres.postmaster(data_folder(settings))
    return identify(pid) if pid else None


def clean_postgres(settings: Settings) -> None:
    """Remove the remains of the server: orphaned backends and the pid file."""
    embedded_postgres.clear_killed(data_folder(settings))


def after_postgres(settings: Settings) -> None:
    """Bring roles, databases and schemas up to date."""
    warehouse.prepare_server(settings)
    warehouse.migrate(settings)


def before_airflow(settings: Settings) -> None:
    """Create Airflow's files, database and pool and register Feast's declarations before any run needs them."""
    home = settings.home / "airflow"
    _need_auth_manager(settings)
    passwords = {name: password for name, (_, password) in environment.users(settings).items()}
    files.write_private(home / "passwords.json", json.dumps(passwords))
    local_settings = Path(__file__).with_name("airflow_local_settings.py")
    shutil.copyfile(local_settings, home / "config" / local_settings.name)
    with ThreadPoolExecutor() as both:  # 5 s each, and independent of each other
        for step in [both.submit(prepare_airflow_database, settings), both.submit(_register_features, settings)]:
            step.result()


def prepare_airflow_database(settings: Settings) -> None:
    """Bring Airflow's own database up to date, with the users, the pool and the connections that it needs."""
    _migrate_airflow(settings)
    if settings.airflow_auth_manager == "fab":
        _create_users(settings)
    pools.create(settings)
    _import_connections(settings)


def _import_connections(settings: Settings) -> None:
    """Give Airflow its connections to the two databases, unless it has them or somebody edited them."""
    missing = connections.to_import(settings)
    if missing:
        draft = settings.home / "tmp" / "connections.json"
        files.write_private(draft, json.dumps(missing))
        try:
            command = [sys.executable, "-m", "airflow", "connections", "import", "--overwrite", str(draft)]
            _run(settings, "airflow-connections", command, environment.of_airflow(settings, "api-server"))
        finally:
            draft.unlink()
    connections.remember(settings)


def _migrate_airflow(settings: Settings) -> None:
    """Migrate once, before any of the four processes starts; the first run also writes the keys they share."""
    stamp = settings.home / "airflow" / "migrated"
    if stamp.exists() and stamp.read_text() == _airflow_schema(settings):
        return
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    _run(settings, "airflow-migrate", migrate, environment.of_airflow(settings, "api-server"))
    files.write_private(stamp, _airflow_schema(settings))


def _need_auth_manager(settings: Settings) -> None:
    """Raise SettingsError when the setting names an auth manager whose package is not installed."""
    package = AUTH_PACKAGES.get(settings.airflow_auth_manager)
    try:
        if package:
            version(package)
    except PackageNotFoundError:
        raise SettingsError(
            f"DAYBREAK_AIRFLOW_AUTH_MANAGER is {settings.airflow_auth_manager}, and {package} is not installed.",
            hint="install it as docs/server.md says, or unset the setting.",
        ) from None


def _create_users(settings: Settings) -> None:
    """Create the users that the auth manager's database lacks; what an admin changes there later stays."""
    with warehouse.connect(settings, "airflow") as database:
        known = {name for (name,) in database.execute("select username from ab_user")}
    variables = environment.of_airflow(settings, "api-server")
    for name, (role, password) in environment.users(settings).items():
        if name not in known:
            who = ["--username", name, "--firstname", name, "--lastname", "Daybreak", "--email", f"{name}@localhost"]
            create = [sys.executable, "-m", "airflow", "users", "create", "--role", role.capitalize(), *who]
            _run(settings, "airflow-users", create, variables, answers=f"{password}\n{password}\n")


def _register_features(settings: Settings) -> None:
    """Register Feast's declarations unless they are unchanged."""
    stamp = settings.home / "features" / "registered"
    contents = [digest_file(path) for path in sorted((PROJECT / "feature_repo").glob("*.*"))]
    declared = digest_of(contents, settings.home, settings.list_step_hours)
    if stamp.exists() and stamp.read_text() == declared and settings.feast_registry.exists():
        return
    apply = [sys.executable, "-m", "include", "features", "apply"]  # Feast is too large to load it here
    _run(settings, "feast-apply", apply, environment.of_service(settings, "api-server"))
    stamp.parent.mkdir(mode=0o700, exist_ok=True)
    files.write_private(stamp, declared)


def _airflow_schema(settings: Settings) -> str:
    """Return the installed Airflow, its auth manager and its database's revision; while they stay, nothing migrates."""
    with warehouse.connect(settings, "airflow") as database:
        try:
            row = database.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    return f"{version('apache-airflow')} {settings.airflow_auth_manager} {row and row[0]}"


def _run(settings: Settings, name: str, command: list[str], variables: dict[str, str], answers: str = "") -> None:
    """Run a command to its end, marked with the service that it prepares, so that it is stopped with that service.

    It reads its answers, such as a password, where it would ask a person; other users of the machine do not see them.
    """
    log = files.log_path(settings.home, name)
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            env=variables,
            check=False,
            input=answers.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            start_new_session=True,  # without a terminal, or it would ask there
        )
    if done.returncode:
        raise ServiceError(f"{name} ended with code {done.returncode}.", hint=f"see `bin/daybreak logs {name}`.")
