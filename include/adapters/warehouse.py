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
from pydantic import SecretStr

from include.core.errors import ServiceError
from include.core.locks import LockKey
from include.core.settings import Settings

INCLUDE = Path(__file__).resolve().parents[1]
MIGRATIONS = Path(__file__).with_name("migrations")
WAREHOUSE = "warehouse"

# role -> the setting that holds its password
ROLES = {
    "postgres": "postgres_password",
    "airflow": "airflow_db_password",
    "mlflow": "mlflow_db_password",
    "feast": "feast_db_password",
    "newsroom": "newsroom_password",
    "daybreak_extract": "extract_password",
    "daybreak_run": "run_password",
    "daybreak_api": "api_password",
}
# database -> its owner
DATABASES = {"airflow": "airflow", "mlflow": "mlflow", "feast": "feast", WAREHOUSE: "postgres"}

Connection = psycopg.Connection[tuple[Any, ...]]


def password(settings: Settings, role: str) -> str:
    """Return the password of a database role."""
    secret: SecretStr = getattr(settings, ROLES[role])
    return secret.get_secret_value()


def uri(settings: Settings, role: str, database: str = WAREHOUSE, scheme: str = "postgresql") -> str:
    """Return a connection URI for clients that need one; generated passwords are URL-safe."""
    return f"{scheme}://{role}:{password(settings, role)}@{settings.postgres_host}:{settings.postgres_port}/{database}"


@contextmanager
def connect(
    settings: Settings, role: str = "daybreak_run", database: str = WAREHOUSE, *, autocommit: bool = False
) -> Iterator[Connection]:
    """Yield a connection as `role`; commit when the block succeeds, roll back when it raises."""
    try:
        connection = psycopg.connect(
            host=settings.postgres_host,
            port=settings.postgres_port,
            user=role,
            password=password(settings, role),
            dbname=database,
            connect_timeout=10,
            autocommit=autocommit,
            options="-c timezone=UTC",
            application_name="daybreak",
        )
    except psycopg.OperationalError as error:
        raise ServiceError(
            f"PostgreSQL at {settings.postgres_host}:{settings.postgres_port} refused {role} on {database}: "
            f"{str(error).strip().splitlines()[-1]}",
            hint="check with `bin/daybreak status` that it is running.",
        ) from error
    try:
        with connection:
            yield connection
    except psycopg.OperationalError as error:
        if not connection.broken:
            raise
        raise ServiceError(
            f"PostgreSQL at {settings.postgres_host}:{settings.postgres_port} closed the connection of {role} to "
            f"{database}: {str(error).strip().splitlines()[0]}",
            hint="check with `bin/daybreak status` that it is running, then run again; unfinished changes were undone.",
        ) from error


@cache
def query(name: str) -> LiteralString:
    """Return the text of a room's PostgreSQL statement: `query("lists/switch")`. Parameters are bound, never pasted."""
    room, _, statement = name.rpartition("/")
    return (INCLUDE / room / "sql" / "postgres" / f"{statement}.sql").read_text()


def prepare_server(settings: Settings) -> None:
    """Create missing roles and databases, and set every role's password."""
    with connect(settings, "postgres", "postgres", autocommit=True) as server:
        known = {name for (name,) in server.execute("select rolname from pg_roles")}
        for role in ROLES:
            verb = sql.SQL("alter" if role in known else "create")
            server.execute(
                sql.SQL("{} role {} login password {}").format(
                    verb, sql.Identifier(role), sql.Literal(password(settings, role))
                )
            )
        there = {name for (name,) in server.execute("select datname from pg_database")}
        for database, owner in DATABASES.items():
            if database not in there:
                server.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(owner))
                )
    with connect(settings, "feast", "feast") as feast:
        feast.execute("create schema if not exists online")


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
