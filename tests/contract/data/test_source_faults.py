"""A source that cannot be read: one error that says what is wrong and whose it is, and no snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.errors import ServiceError, SourceError
from include.data.snapshot import take_snapshot
from tests.parts import servers
from tests.worlds import tiny


def take(settings, as_of=tiny.AS_OF):
    return take_snapshot(settings, as_of, timedelta(days=5))


def edit(settings, text):
    """A change that the publisher makes."""
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute(text)


def manifests(settings):
    return list(settings.home.rglob("manifest.json"))


def test_an_empty_window_is_an_error_that_names_table_and_window_and_leaves_no_snapshot(publisher):
    with pytest.raises(
        SourceError, match=r"source\.reading_events has no row for the window 2025-02-26 00:00 to 2025-0"
    ):
        take(publisher, datetime(2025, 3, 3, tzinfo=UTC))
    assert not manifests(publisher)


@pytest.mark.parametrize("table", ["subscribers", "articles", "reading_events"])
def test_a_table_without_rows_is_an_error_that_names_it(publisher, table):
    edit(publisher, f"truncate newsroom.{table}")
    with pytest.raises(SourceError, match=rf"source\.{table} has no row"):
        take(publisher)


def test_every_fault_of_the_views_is_in_one_error(publisher):
    edit(
        publisher,
        """drop view source.subscribers; drop view source.articles;
        create view source.articles as
        select article_id::text, title, category, publisher, language, word_count::numeric, published_at::timestamp,
               ingested_at, updated_at, is_flagged from newsroom.articles""",
    )
    with pytest.raises(SourceError) as caught:
        take(publisher)
    assert caught.value.fact == (
        "The source breaks its contract, 5 faults: view source.subscribers is missing; "
        "source.articles.article_id is text, not bigint or integer or smallint; source.articles lacks column summary; "
        "source.articles.word_count is numeric, not bigint or integer or smallint; source.articles.published_at is "
        "timestamp without time zone, not timestamp with time zone."
    )
    assert not manifests(publisher)


def test_a_view_that_fails_while_it_is_read_is_one_clear_error(publisher):
    edit(
        publisher,
        """drop view source.reading_events; create view source.reading_events as
        select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds,
               (position / (event_id - 30000))::smallint as position, surface, batch_id, session_id
        from newsroom.reading_events""",
    )
    with pytest.raises(SourceError, match=r"Reading source\.reading_events failed: .*division by zero"):
        take(publisher)
    assert not manifests(publisher)


def test_a_source_that_goes_away_while_it_is_read_is_no_fault_of_the_view(publisher):
    edit(
        publisher,
        """create or replace view source.reading_events as select * from newsroom.reading_events
        where event_id <> 30000 or pg_terminate_backend(pg_backend_pid())""",
    )
    with pytest.raises(ServiceError, match=r"Reading source\.reading_events failed: .*terminating connection"):
        take(publisher)
    assert not manifests(publisher)


def test_a_right_that_was_taken_away_is_named(publisher):
    edit(publisher, "revoke select on source.articles from daybreak_extract")
    with pytest.raises(SourceError, match=r"permission denied for view articles.*grant the role that reads it"):
        take(publisher)


def test_a_source_that_does_not_answer_is_one_clear_error(publisher):
    away = publisher.model_copy(update={"postgres_port": servers.free_port()})
    with pytest.raises(ServiceError, match=f"The source database at 127.0.0.1:{away.postgres_port}/publisher refused"):
        take(away)
