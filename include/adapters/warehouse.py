"""PostgreSQL through psycopg: connections per role, roles and databases, migrations.

Belongs here: connecting, and setting up the warehouse. Does not belong here: the statements of a stage; they lie in
its room's `sql/postgres/` and are read with `query`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import Rollback as Rollback  # for callers that roll back a transaction
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from include.core.errors import ServiceError, SettingsError
from include.core.locks import LockKey
from include.core.settings import Settings

INCLUDE = Path(__file__).resolve().parents[1]
MIGRATIONS = Path(__file__).with_name("migrations")
WAREHOUSE, PUBLISHER = "warehouse", "publisher"

# role -> the setting that holds its password
ROLES = {
    "postgres": "postgres_password",
    "airflow": "airflow_db_password",
    "mlflow": "mlflow_db_password",
    "newsroom": "newsroom_password",
    "daybreak_extract": "extract_password",
    "daybreak_run": "run_password",
    "daybreak_api": "api_password",
}
# database -> its owner
DATABASES = {"airflow": "airflow", "mlflow": "mlflow", WAREHOUSE: "postgres", PUBLISHER: "newsroom"}
RETIRED = ("feast",)  # databases of release 0.1, each owned by a role of its name
# role -> the database it works in, unless it is the warehouse
HOMES = {
    "airflow": "airflow",
    "mlflow": "mlflow",
    "newsroom": PUBLISHER,
    "daybreak_extract": PUBLISHER,
}

Connection = psycopg.Connection[tuple[Any, ...]]
Parameters = dict[str, Any]


def password(settings: Settings, role: str) -> str:
    """Return the password of a database role."""
    secret: SecretStr = getattr(settings, ROLES[role])
    return secret.get_secret_value()


def uri(settings: Settings, role: str, scheme: str = "postgresql") -> str:
    """Return the address of a service's own database as a URI; generated passwords are URL-safe."""
    address = f"{settings.postgres_host}:{settings.postgres_port}/{HOMES.get(role, WAREHOUSE)}"
    return f"{scheme}://{role}:{password(settings, role)}@{address}"


def parameters(settings: Settings, role: str, database: str = "") -> Parameters:
    """Return libpq's parameters for a role: those of the two databases' settings, else Daybreak's own PostgreSQL."""
    own: Parameters = {
        "host": settings.postgres_host,
        "port": settings.postgres_port,
        "user": role,
        "password": password(settings, role),
        "dbname": database or HOMES.get(role, WAREHOUSE),
    }
    if database:
        return own
    if role == "daybreak_extract" and settings.source.get_secret_value():
        return conninfo_to_dict(settings.source.get_secret_value())
    if role in ("daybreak_run", "daybreak_api") and settings.warehouse.get_secret_value():
        given = conninfo_to_dict(settings.warehouse.get_secret_value())
        return given if role == "daybreak_run" else given | {"user": role, "password": own["password"]}
    return own


def conninfo(settings: Settings, role: str) -> str:
    """Return a role's connection as one string, for other clients of libpq."""
    return make_conninfo("", **parameters(settings, role))


def place(settings: Settings, role: str, database: str = "") -> str:
    """Return where a role connects to, for people: host, port and database."""
    given = parameters(settings, role, database)
    return f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"


def how_to_reach(settings: Settings, role: str) -> str:
    """Return a hint for a database that does not answer."""
    name = {"daybreak_extract": "source", "daybreak_run": "warehouse", "daybreak_api": "warehouse"}.get(role, "")
    if name and getattr(settings, name).get_secret_value():
        return f"check Airflow's connection daybreak_{name} (on the command line: DAYBREAK_{name.upper()})."
    return "check with `bin/daybreak status` that it is running."


def _name_of(role: str) -> str:
    return "source database" if role == "daybreak_extract" else "warehouse"


@contextmanager
def connect(
    settings: Settings,
    role: str = "daybreak_run",
    database: str = "",
    *,
    autocommit: bool = False,
    wait_seconds: int = 10,
) -> Iterator[Connection]:
    """Yield a connection as `role`; commit when the block succeeds, roll back when it raises."""
    given = parameters(settings, role, database)
    options = f"{given.pop('options', '')} -c timezone=UTC".strip()
    try:
        connection = psycopg.connect(
            **{"connect_timeout": wait_seconds, "application_name": "daybreak", **given},
            autocommit=autocommit,
            options=options,
        )
    except psycopg.OperationalError as error:
        raise ServiceError(
            f"PostgreSQL at {place(settings, role, database)} refused {given.get('user', role)}: "
            f"{str(error).strip().splitlines()[0]}",
            hint=how_to_reach(settings, role),
            about=_name_of(role),
        ) from error
    try:
        with connection:
            yield connection
    except psycopg.OperationalError as error:
        if not connection.broken:
            raise
        raise ServiceError(
            f"PostgreSQL at {place(settings, role, database)} closed the connection of {given.get('user', role)}: "
            f"{str(error).strip().splitlines()[0]}",
            hint=f"{how_to_reach(settings, role)} Unfinished work was rolled back: run it again.",
            about=_name_of(role),
        ) from error


@cache
def query(name: str) -> LiteralString:
    """Return the text of a room's PostgreSQL statement: `query("lists/switch")`. Parameters are bound, never pasted."""
    room, _, statement = name.rpartition("/")
    return (INCLUDE / room / "sql" / "postgres" / f"{statement}.sql").read_text()


def source_query(settings: Settings, name: str) -> sql.Composed:
    """Return a statement on the publisher's views; its text names them `{articles}`, and `{schema}` and `{prefix}`."""
    views = {
        table: sql.Identifier(settings.source_schema, f"{settings.source_prefix}{table}")
        for table in ("subscribers", "articles", "reading_events", "deliveries")
    }
    return sql.SQL(query(name)).format(
        **views, schema=sql.Literal(settings.source_schema), prefix=sql.Literal(settings.source_prefix)
    )


def prepare_server(settings: Settings) -> None:
    """Create missing roles and databases, set every role's password, and drop what earlier releases needed."""
    with connect(settings, "postgres", "postgres", autocommit=True) as server:
        for name in RETIRED:
            server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            server.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))
        known = {name for (name,) in server.execute("select rolname from pg_roles")}
        for role in ROLES:
            verb = sql.SQL("alter" if role in known else "create")
            server.execute(
                sql.SQL("{} role {} login password {}").format(
                    verb, sql.Identifier(role), sql.Literal(password(settings, role))
                )
            )
        there = {name for (name,) in server.execute("select datname from pg_database")}
        own_tables = _own_tables(settings) if WAREHOUSE in there else []
        if own_tables and not settings.source.get_secret_value():
            raise _needs_a_source(settings, own_tables)
        for database, owner in DATABASES.items():
            if database not in there:
                # the publisher's begins as a copy: in release 0.1 its schemas were part of the warehouse
                template = WAREHOUSE if database == PUBLISHER and not own_tables else "template1"
                _create_database(server, database, owner, template)
    with connect(settings, "postgres", PUBLISHER) as publisher:
        publisher.execute(query("adapters/prepare_publisher"))


def _create_database(server: Connection, database: str, owner: str, template: str) -> None:
    try:
        server.execute(
            sql.SQL("create database {} owner {} template {} strategy file_copy").format(
                sql.Identifier(database), sql.Identifier(owner), sql.Identifier(template)
            )
        )
    except psycopg.errors.ObjectInUse as error:
        raise ServiceError(
            f"Database {database} cannot be created as a copy of {template}: {error.diag.message_detail}",
            hint="stop every service (`make down`; on a server `docker compose down`), then start again.",
        ) from error


def _own_tables(settings: Settings) -> list[str]:
    """Return the tables of a publisher's own that views in the warehouse show."""
    with connect(settings, "postgres") as warehouse:
        return [name for (name,) in warehouse.execute(query("adapters/own_tables"))]


def _needs_a_source(settings: Settings, tables: list[str]) -> SettingsError:
    return SettingsError(
        f"The views in schema source of the warehouse show {len(tables)} of your own tables ({', '.join(tables)}); "
        "Daybreak now reads the publisher's database at an address of its own.",
        hint="to go on reading them there, set DAYBREAK_SOURCE=postgresql://daybreak_extract:PASSWORD@"
        f"{settings.postgres_host}:{settings.postgres_port}/{WAREHOUSE} (the password is "
        "DAYBREAK_EXTRACT_PASSWORD) in the environment or in daybreak.env.",
    )


def migrate(settings: Settings) -> list[str]:
    """Apply the missing migrations, each in its own transaction, and return their names."""
    applied: list[str] = []
    with connect(settings, "postgres", autocommit=True) as warehouse:
        warehouse.execute("select pg_advisory_lock(%s)", [LockKey.MIGRATIONS])
        warehouse.execute(
            "create table if not exists public.migrations"
            " (name text primary key, applied_at timestamptz not null default now())"
        )
        done = {name for (name,) in warehouse.execute("select name from public.migrations")}
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.stem in done:
                continue
            with warehouse.transaction():
                warehouse.execute(file.read_text())
                warehouse.execute("insert into public.migrations (name) values (%s)", [file.stem])
            applied.append(file.stem)
    return applied
