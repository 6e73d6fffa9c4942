"""The worked example of docs/mapping.md, word for word, on a real PostgreSQL: the doctor is content, a run takes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.run import Run
from include.core.settings import PROJECT
from include.operations.doctor import examine
from include.operations.doctor.questions import QUESTIONS

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


def steps():
    """The statements of the example, in the order of the page."""
    page = (PROJECT / "docs" / "mapping.md").read_text()
    example = page.partition("### A worked example")[2].partition("\n### ")[0]
    return re.findall(r"```sql\n(.*?)```", example, re.DOTALL)


@pytest.fixture
def cms(fresh_warehouse):
    """An installation whose publisher followed the page."""
    tables, views, indexes = steps()
    with connect(fresh_warehouse, "postgres") as superuser:
        for text in (tables, FILL, views, indexes):
            superuser.execute(text)
    return fresh_warehouse


def test_who_follows_the_example_has_a_source_that_the_doctor_and_a_run_take(cms):
    findings = examine(cms, now(), [one for one in QUESTIONS if one.code <= "DR110"])
    assert {one.code: (one.state, one.found) for one in findings if one.state != "fine"} == {}

    run = Run(cms, "tests", AS_OF, "tests")
    clean = pipeline.validate(run, pipeline.extract(run, 4))
    assert clean.facts["quarantined"] == 0
    assert clean.facts["reading_events"] > 30_000


def test_without_the_indexes_of_the_example_the_doctor_asks_for_them(fresh_warehouse):
    tables, views, _ = steps()
    with connect(fresh_warehouse, "postgres") as superuser:
        for text in (tables, FILL, views, "analyze cms.page_views"):
            superuser.execute(text)
    found = {one.code: one for one in examine(fresh_warehouse, now(), QUESTIONS[:10])}
    assert found["DR110"].state == "FIX"
    assert "page_views for source.reading_events" in found["DR110"].found
