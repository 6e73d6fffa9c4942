"""An installation of before, whose publisher was part of the warehouse, is taken apart at its first start."""

from __future__ import annotations

import pytest

from include.adapters import warehouse
from include.adapters.warehouse import MIGRATIONS, connect, migrate, prepare_server
from include.core.errors import ServiceError, SettingsError
from tests.parts import servers

DEMO = """
create table newsroom.tracking (hit_no bigint, customer_no bigint);
insert into newsroom.tracking values (1, 7), (2, 7);
create view source.reading_events as select hit_no as event_id, customer_no as reader_id from newsroom.tracking;
"""
OWN = """
create schema cms authorization newsroom;
set role newsroom;
create table cms.page_views (id bigint);
create view source.reading_events as select id as event_id from cms.page_views;
"""


@pytest.fixture
def before(tmp_path, monkeypatch):
    """Settings of an installation that the code of before has set up."""
    settings = servers.new_settings(tmp_path / "home")
    with servers.postgres(settings):
        prepare_server(settings)
        with connect(settings, "postgres", "postgres", autocommit=True) as admin:
            admin.execute("drop database publisher")
        earlier = tmp_path / "migrations"
        earlier.mkdir()
        for file in MIGRATIONS.glob("*.sql"):
            if file.stem < "0016":
                (earlier / file.name).write_text(file.read_text())
        with monkeypatch.context() as then:
            then.setattr(warehouse, "MIGRATIONS", earlier)
            migrate(settings)
        yield settings


def schemas(settings, database):
    with connect(settings, "postgres", database) as admin:
        found = admin.execute("select nspname from pg_namespace where nspname !~ '^pg_' order by 1").fetchall()
    return {name for (name,) in found} - {"information_schema", "public"}


def test_what_the_publisher_has_moves_to_a_database_of_its_own_and_nothing_else_does(before):
    with connect(before, "newsroom", "warehouse") as newsroom:
        newsroom.execute(DEMO)
    for _ in range(2):  # the second time nothing is left to do
        prepare_server(before)
        migrate(before)
        assert schemas(before, "publisher") == {"source", "newsroom", "loaded"}
        assert schemas(before, "warehouse") == {"ops", "recs", "quarantine"}
        with connect(before, "daybreak_extract") as source:
            assert source.execute("select event_id from source.reading_events order by 1").fetchall() == [(1,), (2,)]


def test_nothing_moves_while_a_service_of_before_still_writes(before):
    with connect(before, "newsroom", "warehouse") as newsroom:
        newsroom.execute(DEMO)
        newsroom.commit()
        with pytest.raises(ServiceError, match=r"copy of warehouse: There is 1 other session.*`docker compose down`"):
            prepare_server(before)
    assert schemas(before, "warehouse") >= {"source", "newsroom"}
    prepare_server(before)
    assert schemas(before, "publisher") == {"source", "newsroom", "loaded"}


def test_a_move_that_was_killed_after_the_copy_is_ended_by_the_next_start(before):
    with connect(before, "newsroom", "warehouse") as newsroom:
        newsroom.execute(DEMO)
    with connect(before, "postgres", "postgres", autocommit=True) as admin:
        admin.execute("create database publisher owner newsroom template warehouse strategy file_copy")
    prepare_server(before)
    migrate(before)
    assert schemas(before, "publisher") == {"source", "newsroom", "loaded"}
    assert schemas(before, "warehouse") == {"ops", "recs", "quarantine"}


def test_views_over_own_tables_stop_the_start_until_a_setting_says_where_they_are(before):
    with connect(before, "postgres", "warehouse") as owner:
        owner.execute(OWN)
    with pytest.raises(
        SettingsError, match=r"show 1 of your own tables \(cms.page_views\).*DAYBREAK_SOURCE=postgresql"
    ):
        prepare_server(before)
    assert schemas(before, "warehouse") >= {"cms", "source"}

    password = before.extract_password.get_secret_value()
    address = f"postgresql://daybreak_extract:{password}@127.0.0.1:{before.postgres_port}/warehouse"
    settled = before.with_databases(source=address)
    prepare_server(settled)
    migrate(settled)
    assert "cms" not in schemas(settled, "publisher")
    with connect(settled, "daybreak_extract") as source:
        assert source.execute("select count(*) from source.reading_events").fetchone() == (0,)
