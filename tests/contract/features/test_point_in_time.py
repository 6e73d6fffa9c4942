"""Nothing is known before its time: whatever happens after a moment, its features stay as they are."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.core.contract import MOMENT
from include.features import build
from include.features.days import VIEWS
from include.features.scenes import open_scenes
from tests.worlds import tiny

AS_OF = tiny.AS_OF
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THEN = AS_OF - 12 * HOUR  # the moment whose features must not change, whatever comes later


def values_at(folder, at):
    """Everything a build says about the world at one moment, by view and key."""
    found = {}
    for name in VIEWS:
        rows = pq.read_table(folder / name).filter(pc.field("event_timestamp") == pa.scalar(at, MOMENT))
        key = "article_id" if name == "article_stats" else "reader_id"
        found[name] = {row[key]: {**row, "created": None} for row in rows.to_pylist()}
    together = pq.read_table(folder / "co_reads").filter(pc.field("list_at") == pa.scalar(at, MOMENT))
    found["co_reads"] = {(row["article_id"], row["other_id"]): row["weight"] for row in together.to_pylist()}
    return found


def assert_same_knowledge(ours, theirs):
    """The same values for every key that both describe, of which there must be many."""
    for name, rows in ours.items():
        common = rows.keys() & theirs[name].keys()
        assert len(common) > 20, name
        for key in common:
            assert (
                rows[key] == pytest.approx(theirs[name][key], rel=1e-9)
                if name == "co_reads"
                else (rows[key] == theirs[name][key])
            ), (name, key)
        if name in ("article_stats", "co_reads"):
            assert rows.keys() == theirs[name].keys(), name


def test_training_and_scoring_give_the_same_values_for_the_same_moment(serverless, training_build):
    """Once as a training run sees the moment half a day later, once as a scoring run saw it then."""
    then = tiny.known_at(tiny.tiny(), THEN, days=5)
    scoring = tiny.build(serverless, then, "scoring", THEN)
    assert_same_knowledge(values_at(training_build, THEN), values_at(scoring, THEN))


def test_training_and_scoring_retrieve_the_same_values_for_the_same_reader_and_moment(serverless, training_build):
    then = tiny.known_at(tiny.tiny(), THEN, days=5)
    once, later = open_scenes(tiny.build(serverless, then, "scoring", THEN)), open_scenes(training_build)
    for name, key in (("readers", "reader_id"), ("articles", "article_id")):
        first, second = (
            {row[key]: row for row in getattr(scenes, name).to_pylist() if row["list_at"] == THEN}
            for scenes in (once, later)
        )
        assert len(second) > 20
        for one in second:
            assert second[one] == first[one]


EVENT = {"kind": "click", "position": 1, "session_id": 1, "surface": "front"}


def later_events(known_world):
    """Readers go on reading after the moment, also what they had begun before."""
    rows = [
        {
            **EVENT,
            "event_id": 700_000 + n,
            "reader_id": row["reader_id"],
            "article_id": row["article_id"],
            "kind": "read",
        }
        | {"occurred_at": THEN + (n + 1) * timedelta(seconds=1), "dwell_seconds": 500.0}
        | {"ingested_at": THEN + (n + 1) * timedelta(seconds=2)}
        for n, row in enumerate(just_before(known_world, "click", 300))
    ]
    return tiny.changed(known_world, "reading_events", rows)


def late_events(known_world):
    """Word of what happened before the moment comes after it."""
    rows = [
        {**row, "event_id": 710_000 + n, "article_id": row["article_id"] + 1, "kind": kind, "ingested_at": THEN + HOUR}
        | {"dwell_seconds": 400.0 if kind == "read" else None}
        for n, (row, kind) in enumerate(
            (row, kind) for row in just_before(known_world, "read", 100) for kind in ("impression", "click", "read")
        )
    ]
    return tiny.changed(known_world, "reading_events", rows)


def events_ahead_of_time(known_world):
    """A clock that is fast: what happens after the moment is reported before it."""
    rows = [
        {**row, "event_id": 730_000 + n, "article_id": row["article_id"] + 1, "kind": kind}
        | {"dwell_seconds": 400.0 if kind == "read" else None}
        | {"occurred_at": THEN + (n + 1) * timedelta(seconds=1), "ingested_at": THEN - HOUR}
        for n, (row, kind) in enumerate(
            (row, kind) for row in just_before(known_world, "read", 100) for kind in ("impression", "click", "read")
        )
    ]
    return tiny.changed(known_world, "reading_events", rows)


def corrections(known_world):
    """The publisher sends events of before the moment again, with other values, after it."""
    rows = [
        {**row, "dwell_seconds": 1.0, "ingested_at": THEN + HOUR + n * timedelta(seconds=1)}
        for n, row in enumerate(just_before(known_world, "read", 300))
    ]
    return tiny.changed(known_world, "reading_events", rows)


def later_articles(known_world):
    """Articles of before the moment that the publisher delivers after it."""
    base = known_world["articles"].to_pylist()[700]
    rows = [
        {**base, "article_id": 720_000 + n, "published_at": THEN - HOUR, "ingested_at": THEN + HOUR} for n in range(30)
    ]
    return tiny.changed(known_world, "articles", rows)


def articles_ahead_of_time(known_world):
    """Articles that are delivered before the moment and appear after it."""
    base = known_world["articles"].to_pylist()[700]
    rows = [
        {**base, "article_id": 740_000 + n, "published_at": THEN + HOUR, "ingested_at": THEN - HOUR} for n in range(30)
    ]
    return tiny.changed(known_world, "articles", rows)


def just_before(known_world, kind, count):
    """The last events of a kind before the moment."""
    events = [
        row for row in known_world["reading_events"].to_pylist() if row["kind"] == kind and row["occurred_at"] < THEN
    ]
    return sorted(events, key=lambda row: row["occurred_at"])[-count:]


LEAKS = [later_events, late_events, events_ahead_of_time, corrections, later_articles, articles_ahead_of_time]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda one: one.__name__)
def test_what_is_learnt_after_a_moment_changes_nothing_that_was_known_then(
    serverless, training_build, known_world, leak
):
    assert_same_knowledge(
        values_at(training_build, THEN), values_at(tiny.build(serverless, leak(known_world), "training"), THEN)
    )


@pytest.mark.parametrize(
    ("name", "condition", "leak"),
    [
        ("reader_activity", "e.occurred_at < q.list_at", events_ahead_of_time),
        ("reader_activity", "e.ingested_at < q.list_at", late_events),
        ("reader_taste", "e.occurred_at < q.list_at", events_ahead_of_time),
        ("reader_taste", "e.ingested_at < q.list_at", late_events),
        ("article_stats", "e.occurred_at < m.list_at", events_ahead_of_time),
        ("article_stats", "e.ingested_at < m.list_at", late_events),
        ("article_stats", "a.ingested_at < m.list_at", later_articles),
        ("article_stats", "a.published_at < m.list_at", articles_ahead_of_time),
        ("co_reads", "r.read_at < m.list_at", events_ahead_of_time),
        ("co_reads", "r.known_at < m.list_at", late_events),
    ],
)
def test_a_query_that_looks_ahead_would_be_noticed(
    serverless, training_build, known_world, monkeypatch, name, condition, leak
):
    """The same comparison, on a query from which one condition was taken: it must find the leak."""
    real = build.duck.query

    def leaky(path):
        if path != f"features/{name}":
            return real(path)
        assert condition in real(path)
        return real(path).replace(condition, "true")

    monkeypatch.setattr(build.duck, "query", leaky)
    found = values_at(tiny.build(serverless, leak(known_world), "training"), THEN)
    with pytest.raises(AssertionError):
        assert_same_knowledge(values_at(training_build, THEN), found)
