"""The worked example of docs/mapping.md, word for word, on a PostgreSQL of the publisher's own."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.errors import ServiceError, SourceError
from include.core.run import Run
from include.core.settings import PROJECT
from include.data import snapshot
from include.operations.doctor import examine
from include.operations.doctor.probes import PROBES
from include.pipeline import waiting
from tests.parts import servers

AS_OF = datetime(2025, 3, 9, tzinfo=UTC)
FILL = """
insert into cms.sections values (1, 'politics'), (2, 'sport'), (3, 'culture');
insert into cms.posts
select n, 'Story ' || n, 'What happened in story ' || n, 1 + n % 3, 'en_US', repeat('word ', 100 + n % 200), 'live',
       at, at + interval '10 minutes'
from generate_series(1, 600) n, lateral (select timestamp '2025-03-03 01:00' + n * interval '14 minutes') t (at);
insert into cms.members
select n, (array['NO', 'SE', 'US'])[1 + n % 3], n % 4 > 0, date '2025-01-01' + n % 30 from generate_series(1, 400) n;
insert into cms.page_views
select n, case when n % 10 > 0 then 1 + n * 7919 % 400 end, post, at_ms, at_ms + 1500,
       case when n % 5 > 0 then round(8 + n % 90, 1) end
from generate_series(1, 60000) n,
     lateral (select 1741046400000 + n * 7200::bigint) t (at_ms),
     lateral (select greatest(1, least(600, (at_ms - 1741046400000) / 840000 + 60 - n % 40))) p (post);
"""


def statements(heading):
    """The statements of a section of the page, in their order."""
    page = (PROJECT / "docs" / "mapping.md").read_text()
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    return re.findall(r"```sql\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A PostgreSQL of the publisher's own, on which Daybreak has never been."""
    settings = servers.new_settings(tmp_path_factory.mktemp("publisher"))
    with servers.postgres(settings):
        yield settings


def follow(own_server, daybreak, name, *texts, moved=lambda text: text):
    """Settings of an installation whose publisher did as the page says, in a database of this name."""
    with connect(own_server, "postgres", "postgres", autocommit=True) as owner:
        owner.execute(f"create database {name}")
        is_there = owner.execute("select from pg_roles where rolname = 'daybreak_extract'").rowcount
    (grants,) = statements("Your own database")
    with connect(own_server, "postgres", name) as owner:
        for text in (*texts, grants.partition(";")[2] if is_there else grants):
            owner.execute(moved(text))
    address = f"postgresql://daybreak_extract:choose%20one@127.0.0.1:{own_server.postgres_port}/{name}"
    return daybreak.with_databases(source=address)


def test_who_follows_the_example_has_a_source_that_the_doctor_and_a_run_take(own_server, fresh_warehouse):
    tables, views, indexes = statements("A worked example")
    cms = follow(own_server, fresh_warehouse, "cms", tables, FILL, views, indexes)
    findings = examine(cms, now(), [one for one in PROBES if one.code <= "DR110" or one.code == "DR116"])
    assert {one.code: (one.state, one.found) for one in findings if one.state != "fine"} == {}
    found = {one.code: one.found for one in findings}
    assert f"127.0.0.1:{own_server.postgres_port}/cms as daybreak_extract" in found["DR116"]

    run = Run(cms, "tests", AS_OF, "tests")
    clean = pipeline.validate(run, pipeline.extract(run, 4))
    assert clean.facts["quarantined"] == 0
    assert clean.facts["reading_events"] > 30_000


def test_without_the_indexes_of_the_example_the_doctor_asks_for_them(own_server, fresh_warehouse):
    tables, views, _ = statements("A worked example")
    cms = follow(own_server, fresh_warehouse, "slow", tables, FILL, views, "analyze cms.page_views")
    found = {one.code: one for one in examine(cms, now(), PROBES[:11])}
    assert found["DR110"].state == "FIX"
    assert "page_views for source.reading_events" in found["DR110"].found


def test_views_may_have_another_schema_and_a_prefix(own_server, fresh_warehouse):
    def moved(text):
        return text.replace("schema source", "schema reading").replace("source.", "reading.daybreak_")

    tables, views, indexes = statements("A worked example")
    settings = follow(own_server, fresh_warehouse, "moved", tables, FILL, views, indexes, moved=moved)
    settings = settings.model_copy(update={"source_schema": "reading", "source_prefix": "daybreak_"})
    assert snapshot.take_snapshot(settings, AS_OF, timedelta(days=4)).rows("reading_events") > 30_000
    settings = settings.model_copy(update={"source_prefix": ""})
    with pytest.raises(SourceError, match=r"3 faults: view reading.subscribers is missing"):
        snapshot.take_snapshot(settings, AS_OF, timedelta(days=4))


def test_a_publishers_server_that_goes_away_is_named_and_the_next_run_finds_it_again(fresh_warehouse, tmp_path):
    own = servers.new_settings(tmp_path / "own")
    tables, views, indexes = statements("A worked example")
    with servers.postgres(own):
        settings = follow(own, fresh_warehouse, "cms", tables, FILL, views, indexes)
        first = snapshot.take_snapshot(settings, AS_OF, timedelta(days=4))
    away = rf"The source database at 127.0.0.1:{own.postgres_port}/cms .*connection daybreak_source"
    with pytest.raises(ServiceError, match=away):
        snapshot.take_snapshot(settings, AS_OF, timedelta(days=4))
    with pytest.raises(ServiceError, match=away):
        asyncio.run(waiting.look(settings, AS_OF, AS_OF))
    with connect(settings) as warehouse:  # the warehouse has not noticed
        assert warehouse.execute("select count(*) from ops.snapshots").fetchone() == (1,)
    with servers.postgres(own):
        assert snapshot.take_snapshot(settings, AS_OF, timedelta(days=4)).id == first.id
