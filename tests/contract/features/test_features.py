"""Features: what is declared is what is computed, counted by hand, and what is handed out is what was asked for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from feature_repo.definitions import declare
from include.adapters.feast_store import retrieve
from include.core.contract import MOMENT
from include.core.errors import SourceError
from include.core.settings import Settings
from include.data.snapshot import open_snapshot_tables
from include.data.store import digest_file
from include.features.build import compute_features, counting, describe, list_times
from include.features.days import VIEWS
from include.features.scenes import VERSION, make_scenes, open_outcomes, open_scenes
from tests.worlds import tiny

AS_OF = tiny.AS_OF
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THEN = AS_OF - 12 * HOUR
NOBODY = 999_999
ARROW_TYPES = {
    "Int64": pa.int64(),
    "Float64": pa.float64(),
    "String": pa.string(),
    "Array(String)": pa.list_(pa.string()),
    "Array(Float32)": pa.list_(pa.float32()),
}


def table_of(folder, name):
    return pq.read_table(folder / name)


# What is declared


@pytest.mark.parametrize("name", VIEWS)
def test_what_the_repository_declares_is_what_the_code_computes(name, training_build):
    (view,) = (one for one in declare(training_build, 3 * HOUR) if one.name == name and hasattr(one, "schema"))
    declared = {field.name: ARROW_TYPES[str(field.dtype)] for field in view.schema}
    computed = {column.name: column.type for column in table_of(training_build, name).schema}
    assert computed.pop("event_timestamp") == computed.pop("created") == MOMENT
    assert computed == declared


def test_every_view_that_is_declared_is_computed_and_the_other_way_round(training_build):
    assert {one.name for one in declare(training_build, 3 * HOUR) if hasattr(one, "source")} == set(VIEWS)


def test_a_service_for_readers_and_one_for_articles_hold_every_view(training_build):
    services = {one.name: one for one in declare(training_build, 3 * HOUR) if hasattr(one, "feature_view_projections")}
    held = [view.name for service in services.values() for view in service.feature_view_projections]
    assert set(services) == {f"readers_{VERSION}", f"articles_{VERSION}"}
    assert sorted(held) == sorted(VIEWS)


# What it says, by hand


def test_list_times_step_back_from_the_end_through_hold_out_and_training():
    settings = Settings(list_step_hours=6, train_days=1, holdout_hours=12)
    times = list_times(settings, AS_OF, "training")
    assert times == [AS_OF - hours * HOUR for hours in (36, 30, 24, 18, 12, 6)]
    assert list_times(settings, AS_OF, "scoring") == [AS_OF]


def test_taste_is_the_group_that_was_planted(training_build):
    taste = table_of(training_build, "reader_taste").to_pylist()
    assert len(taste) > 1000
    for row in taste:
        assert row["categories"] == [tiny.CATEGORIES[tiny.group_of(row["reader_id"])]]
        assert row["category_shares"] == [1.0]


def known(known_world, reader, at, kind, days):
    """A reader's events of a kind that were known at a moment, straight from the world's rows."""
    return [
        row
        for row in known_world["reading_events"].filter(pc.field("reader_id") == reader).to_pylist()
        if row["kind"] == kind and at - days * DAY <= row["occurred_at"] < at and row["ingested_at"] < at
    ]


@pytest.mark.parametrize("reader", [7, 42, 200])
def test_a_readers_activity_is_what_one_counts_by_hand(serverless, training_build, known_world, reader):
    rows = [row for row in table_of(training_build, "reader_activity").to_pylist() if row["reader_id"] == reader]
    assert rows
    for row in rows:
        at = row["event_timestamp"]
        reads = known(known_world, reader, at, "read", serverless.lookback_days)
        assert row["impression_count"] == len(known(known_world, reader, at, "impression", serverless.lookback_days))
        assert row["read_count"] == len(reads)
        assert row["read_count_1d"] == len(known(known_world, reader, at, "read", 1))
        assert row["read_seconds"] == sum(read["dwell_seconds"] for read in reads)
        assert row["active_day_count"] == len({read["occurred_at"].date() for read in reads})


def test_an_articles_figures_are_what_one_counts_by_hand(training_build, known_world):
    (at,) = {row["list_at"] for row in table_of(training_build, "moments").to_pylist() if row["list_at"] == THEN}
    stats = {
        row["article_id"]: row
        for row in table_of(training_build, "article_stats").to_pylist()
        if row["event_timestamp"] == at
    }
    events = [
        row
        for row in known_world["reading_events"].to_pylist()
        if at - DAY <= row["occurred_at"] < at and row["ingested_at"] < at
    ]
    for article, row in list(stats.items())[::10]:
        own = [event for event in events if event["article_id"] == article]
        reads = [event for event in own if event["kind"] == "read"]
        assert row["impression_count_1d"] == sum(event["kind"] == "impression" for event in own)
        assert row["read_count_1d"] == len(reads)
        assert row["read_count_3h"] == sum(read["occurred_at"] >= at - 3 * HOUR for read in reads)
        assert row["read_seconds_1d"] == sum(read["dwell_seconds"] for read in reads)


def test_only_live_articles_are_described(training_build, known_world):
    flagged = set(known_world["articles"].filter(pc.field("is_flagged")).column("article_id").to_pylist())
    published = dict(
        zip(*(known_world["articles"].column(n).to_pylist() for n in ("article_id", "published_at")), strict=True)
    )
    stats = table_of(training_build, "article_stats").to_pylist()
    assert not flagged & {row["article_id"] for row in stats}
    for row in stats:
        assert timedelta(0) < row["event_timestamp"] - published[row["article_id"]] <= DAY


def test_an_outcome_is_what_a_reader_did_in_the_step_after_the_moment(training_build, known_world):
    rows = {
        (r["reader_id"], r["list_at"], r["article_id"]): r for r in table_of(training_build, "outcomes").to_pylist()
    }
    reads = [row for row in known_world["reading_events"].to_pylist() if row["kind"] == "read"]
    published = dict(
        zip(*(known_world["articles"].column(n).to_pylist() for n in ("article_id", "ingested_at")), strict=True)
    )
    steps = [AS_OF - 3 * HOUR * back for back in range(24, 0, -1)]
    expected = {
        (read["reader_id"], at, read["article_id"]): read["dwell_seconds"]
        for at in steps
        for read in reads
        if at <= read["occurred_at"] < at + 3 * HOUR and published[read["article_id"]] < at
    }
    clicked_before = {key for key in expected if key not in rows}  # opened just before the moment, finished after it
    assert len(clicked_before) < 0.05 * len(expected)
    assert {key: row["read_seconds"] for key, row in rows.items() if row["read_seconds"] > 0} == {
        key: seconds for key, seconds in expected.items() if key not in clicked_before
    }


# What is handed out


def test_retrieval_gives_one_row_per_entity_in_their_order_and_cold_ones_too(training_build):
    moments = [THEN, THEN, AS_OF - 3 * HOUR, THEN, THEN]
    readers = [241, 7, 7, 999_999, 8]
    entities = pa.table({"reader_id": readers, "event_timestamp": pa.array(moments, MOMENT)})
    found = retrieve(training_build, f"readers_{VERSION}", entities).to_pylist()
    assert [(row["reader_id"], row["event_timestamp"]) for row in found] == list(zip(readers, moments, strict=True))
    assert found[3]["read_count"] is None
    assert found[3]["categories"] is None


def test_an_entity_asked_for_twice_comes_twice(training_build):
    entities = pa.table({"reader_id": [7, 7, 7], "event_timestamp": pa.array([THEN] * 3, MOMENT)})
    assert retrieve(training_build, f"readers_{VERSION}", entities).num_rows == 3


def test_features_of_another_moment_are_not_handed_out(training_build):
    entities = pa.table({"reader_id": [7], "event_timestamp": pa.array([AS_OF + 2 * DAY], MOMENT)})
    assert retrieve(training_build, f"readers_{VERSION}", entities).to_pylist()[0]["read_count"] is None


def test_every_request_is_described_even_of_readers_who_never_read(scoring_features):
    scenes = open_scenes(Path(scoring_features.uri))
    described = {row["reader_id"]: row for row in scenes.readers.to_pylist()}
    assert set(described) == {*range(1, tiny.READERS + 1), *tiny.COLD_READERS}
    for reader in tiny.COLD_READERS:
        assert (described[reader]["read_count"], described[reader]["categories"]) == (0, None)


@pytest.mark.parametrize("purpose", ["training", "scoring"])
def test_scenes_made_in_memory_are_those_that_feast_returns(serverless, known_world, purpose):
    """Row by row and value by value; a reader who never read anything is among them."""
    snapshot = tiny.store(serverless, known_world)
    folder = serverless.home / f"feast-{purpose}"
    compute_features(serverless, snapshot, purpose, folder, folder)
    with open_snapshot_tables(serverless, snapshot) as connection:
        tables = describe(connection, list_times(serverless, AS_OF, purpose), purpose, counting(serverless))
    ours, theirs = make_scenes(tables), open_scenes(folder)
    assert ours.requests.equals(theirs.requests)
    for name, keys in (("readers", ("list_at", "reader_id")), ("articles", ("list_at", "article_id"))):
        assert set(getattr(ours, name).column_names) == set(getattr(theirs, name).column_names), name
        mine, feasts = (
            sorted(getattr(scenes, name).to_pylist(), key=lambda row, keys=keys: [row[key] for key in keys])
            for scenes in (ours, theirs)
        )
        assert len(mine) > 100
        assert mine == feasts, name
    for name in ("reads", "co_reads", "all_reads"):
        assert getattr(ours, name).equals(getattr(theirs, name)), name
    if purpose == "training":
        assert tables["outcomes"].equals(open_outcomes(folder))


def test_requests_may_be_given_and_of_readers_nobody_knows(serverless, known_world):
    asked = pa.table({"reader_id": [NOBODY, 7], "list_at": pa.array([THEN, THEN], MOMENT)})
    with open_snapshot_tables(serverless, tiny.store(serverless, known_world)) as connection:
        scenes = make_scenes(describe(connection, [THEN], asked, counting(serverless)))
    assert scenes.requests.to_pylist() == scenes.readers.select(["reader_id", "list_at"]).to_pylist()
    assert scenes.readers.column("reader_id").to_pylist() == [7, NOBODY]
    assert scenes.readers.column("read_count").to_pylist()[1] is None
    assert scenes.articles.num_rows > 20


def test_the_same_snapshot_gives_the_same_bytes(serverless, known_world, training_build, tmp_path):
    """Also where no day was kept."""
    again = tiny.build(serverless, known_world, "training", kept=tmp_path)
    names = sorted(str(path.relative_to(training_build)) for path in training_build.rglob("*.parquet"))
    assert len(names) == 25
    for name in names:
        assert digest_file(again / name) == digest_file(training_build / name), name


def test_the_order_of_the_rows_does_not_change_a_byte(serverless, known_world):
    """Many threads hand rows over in any order; a sum of fractions would come out differently each time."""
    seconds = known_world["reading_events"].column("dwell_seconds")
    fractions = pc.add(seconds, pa.array([(n * 0.618034) % 1 for n in range(len(seconds))]))
    place = known_world["reading_events"].column_names.index("dwell_seconds")
    ragged = {
        **known_world,
        "reading_events": known_world["reading_events"].set_column(place, "dwell_seconds", fractions),
    }
    folders = []
    for order in ("ascending", "descending"):
        folder = serverless.home / order
        taken = tiny.store(serverless, ragged, order=order)
        compute_features(serverless, taken, "training", folder, folder, folder / "kept")
        folders.append(folder)
    for name in (*VIEWS, "co_reads", "outcomes", "reads", "requests", "shown"):
        assert table_of(folders[0], name).equals(table_of(folders[1], name)), name


def test_without_a_reader_to_describe_there_is_one_clear_error(serverless, known_world):
    strangers = pa.array([10**6] * known_world["reading_events"].num_rows, pa.int64())
    events = known_world["reading_events"].set_column(2, "article_id", strangers)
    snapshot = tiny.store(serverless, {**known_world, "reading_events": events})
    with pytest.raises(SourceError, match=r"No reader can be described as of 2025-03-09 00:00 UTC"):
        compute_features(serverless, snapshot, "training", serverless.home / "nobody", serverless.home / "nobody")


def test_a_reader_who_was_there_for_ever_is_described_without_a_tenure(serverless, known_world):
    """PostgreSQL knows -infinity, and publishers use it."""
    joined = known_world["subscribers"].column("signed_up_at").cast(pa.int64()).to_numpy().copy()
    joined[6] = -(2**63)  # what PostgreSQL's -infinity becomes
    place = known_world["subscribers"].column_names.index("signed_up_at")
    ancient = {
        **known_world,
        "subscribers": known_world["subscribers"].set_column(place, "signed_up_at", pa.array(joined).cast(MOMENT)),
    }
    rows = {
        row["reader_id"]: row
        for row in table_of(tiny.build(serverless, ancient, "scoring"), "reader_profile").to_pylist()
    }
    assert rows[7]["tenure_days"] is None
    assert rows[8]["tenure_days"] > 30


def test_values_that_a_publisher_may_leave_out_do_no_harm(serverless, known_world):
    """Publisher, language, plan and word count may be null in the contract."""

    def without(table, names):
        rows = known_world[table]
        for name in names:
            place = rows.column_names.index(name)
            rows = rows.set_column(
                place, rows.schema.field(name), pa.nulls(rows.num_rows, rows.schema.field(name).type)
            )
        return rows

    poor = {
        **known_world,
        "articles": without("articles", ["publisher", "language", "summary", "word_count", "updated_at"]),
        "subscribers": without("subscribers", ["region", "plan", "interests"]),
        "reading_events": without("reading_events", ["position", "surface", "session_id"]),
    }
    scenes = open_scenes(tiny.build(serverless, poor, "scoring"))
    assert scenes.readers.num_rows == tiny.READERS + len(tiny.COLD_READERS)
