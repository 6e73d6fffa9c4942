"""Who may do what in the two databases: exactly what is written here, asked of PostgreSQL's own catalogue."""

from __future__ import annotations

import psycopg
import pytest

from include.adapters.warehouse import connect, prepare_server
from tests.worlds import tiny

RELATIONS = """
    select n.nspname || '.' || c.relname as name, c.oid
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'p', 'm', 'S') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
      and not c.relispartition
"""
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


@pytest.fixture(scope="module")
def mapped(warehouse):
    """The warehouse and a publisher's database with tables and views in it."""
    tiny.publish(warehouse, {name: table.slice(0, 50) for name, table in tiny.tiny().items()})
    return warehouse


def rights(settings, role):
    """Everything a role may do with data, in both databases: relation -> rights."""
    found = {}
    for database in ("warehouse", "publisher"):
        with connect(settings, "postgres", database) as admin:
            for name, oid in admin.execute(RELATIONS).fetchall():
                for right in RIGHTS:
                    text = "select has_table_privilege(%s, %s::oid, %s) and has_schema_privilege(%s, %s, 'USAGE')"
                    if admin.execute(text, [role, oid, right, role, name.split(".")[0]]).fetchone()[0]:
                        found.setdefault(name, set()).add(right)
    return found


def test_the_extract_may_read_the_three_views_and_nothing_else(mapped):
    assert rights(mapped, "daybreak_extract") == {
        "source.subscribers": {"SELECT"},
        "source.articles": {"SELECT"},
        "source.reading_events": {"SELECT"},
    }


def test_the_api_may_read_the_live_lists_and_append_what_it_served_and_nothing_else(mapped):
    assert rights(mapped, "daybreak_api") == {"recs.current": {"SELECT"}, "recs.served": {"INSERT"}}


def test_a_run_may_do_everything_in_its_own_schemas_and_nothing_elsewhere(mapped):
    assert {name.split(".")[0] for name in rights(mapped, "daybreak_run")} == {"recs", "ops", "quarantine"}


def test_the_publisher_may_not_look_into_what_daybreak_makes(mapped):
    assert {name.split(".")[0] for name in rights(mapped, "newsroom")} == {"newsroom", "source"}


def test_the_database_and_the_role_of_an_earlier_release_go(mapped):
    with connect(mapped, "postgres", "postgres", autocommit=True) as server:
        server.execute("create role feast login")
        server.execute("create database feast owner feast")
        for _ in range(2):
            prepare_server(mapped)
            assert not server.execute("select from pg_database where datname = 'feast'").fetchall()
            assert not server.execute("select from pg_roles where rolname = 'feast'").fetchall()


@pytest.mark.parametrize("role", ["airflow", "mlflow"])
def test_the_services_have_no_business_in_the_warehouse(mapped, role):
    assert rights(mapped, role) == {}


def test_only_the_superuser_for_migrations_is_one(mapped):
    with connect(mapped, "postgres") as admin:
        powerful = admin.execute(
            "select rolname from pg_roles where (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or"
            " rolreplication) and rolname not like 'pg\\_%'"
        ).fetchall()
    assert powerful == [("postgres",)]


@pytest.mark.parametrize("role", ["daybreak_extract", "daybreak_run", "daybreak_api"])
def test_nobody_makes_tables_in_the_schema_that_belongs_to_nobody(mapped, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(mapped, role) as connection:
        connection.execute("set transaction read write; create table public.mine (a int)")


def test_the_extract_cannot_write_even_when_it_asks_for_a_transaction_that_may(mapped):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(mapped, "daybreak_extract") as connection:
        connection.execute("set transaction read write; insert into source.subscribers (reader_id) values (1)")


def test_the_extract_begins_every_transaction_read_only(mapped):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connect(mapped, "daybreak_extract") as connection:
        connection.execute("create temporary table mine (a int)")


def test_a_wrong_password_is_refused(mapped):
    from include.core.errors import ServiceError

    with (
        pytest.raises(ServiceError, match="warehouse refused daybreak_run"),
        connect(mapped.model_copy(update={"run_password": mapped.api_password})),
    ):
        pass


def test_migrating_again_changes_nothing(mapped):
    from include.adapters.warehouse import migrate

    assert migrate(mapped) == []
