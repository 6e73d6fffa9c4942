"""The artifact on its own: its rankings without a database, and the inputs it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged, BadInput
from include.core.settings import PROJECT, Settings
from include.data.store import digest_folder
from include.features import crowd as crowds
from include.features.build import compute_features
from include.features.crowd import Crowd, keep_crowd
from include.features.scenes import open_outcomes, open_scenes
from include.models import BASELINES, MODELS
from include.models.artifact import Artifact, complete
from tests.contract.models.test_models import fit
from tests.worlds import tiny

AS_OF = tiny.AS_OF
DEPTH = 20
DAY = timedelta(days=1)
READER, NOBODY, NOWHERE = 7, 999_999, 888_888


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("artifact"), **tiny.TINY)


@pytest.fixture(scope="module")
def world():
    return tiny.known_at(tiny.tiny(), AS_OF, days=5)


def build(settings, world, purpose, as_of=AS_OF):
    folder = settings.home / f"{purpose}-{as_of:%H%M}"
    taken = tiny.store(settings, world, as_of)
    compute_features(settings, taken, purpose, folder, folder)
    keep_crowd(settings, taken, folder)
    return folder


@pytest.fixture(scope="module")
def scoring(settings, world):
    """The features that the batch of AS_OF is scored from."""
    return build(settings, world, "scoring")


@pytest.fixture(scope="module")
def folders(settings, world):
    """The artifact of every model, as training leaves it."""
    training = build(settings, world, "training")
    scenes, outcomes = open_scenes(training), open_outcomes(training)
    for name in MODELS:
        folder = settings.home / "artifacts" / name
        folder.mkdir(parents=True)
        fit(name, scenes, outcomes).save(folder)
        complete(folder, name, training)
    return {name: settings.home / "artifacts" / name for name in MODELS}


@pytest.fixture(scope="module")
def artifacts(folders):
    return {name: Artifact.load(folder) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def batches(artifacts, scoring):
    """Return the ranking of the batch path, from features that went through files and Feast."""
    scenes = open_scenes(scoring)
    return {name: one.model.rank(scenes, DEPTH) for name, one in artifacts.items()}


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def two_stage(artifacts):
    return artifacts["two_stage"]


def of_reader(world, reader=READER):
    return world["reading_events"].filter(pc.field("reader_id") == reader)


def session(*articles, reader=READER, at=AS_OF):
    """A data frame as a visitor's browser would fill it."""
    columns = {"reader_id": [reader] * len(articles), "article_id": list(articles)}
    return pd.DataFrame({**columns, "occurred_at": pd.Series([at] * len(articles), dtype="datetime64[us, UTC]")})


def ids(ranked):
    return ranked.column("article_id").to_pylist()


def test_it_ranks_the_stored_histories_exactly_as_the_batch_does(name, artifacts, batches, world):
    found = artifacts[name].recommend(world["reading_events"], AS_OF, DEPTH, readers=world["subscribers"])
    assert found.num_rows > DEPTH * tiny.READERS * 0.9
    for row, expected in zip(found.to_pylist(), batches[name].to_pylist(), strict=True):
        assert row == expected


def test_a_reader_alone_is_answered_as_in_the_batch(name, artifacts, batches, world):
    for reader in (READER, 100, tiny.COLD_READERS[0]):
        about = world["subscribers"].filter(pc.field("reader_id") == reader)
        found = artifacts[name].recommend(of_reader(world, reader), AS_OF, DEPTH, readers=about)
        assert found.equals(batches[name].filter(pc.field("reader_id") == reader).combine_chunks())


def clicks_alone(world):
    """Some readers in a log that notes ids and times of clicks; half open an article again on the last day."""
    clicks = world["reading_events"].filter((pc.field("kind") == "click") & (pc.field("reader_id") < 80))
    again = clicks.filter((pc.field("reader_id") < 40) & (pc.field("occurred_at") < pa.scalar(AS_OF - DAY, MOMENT)))
    at = pa.repeat(pa.scalar(AS_OF - timedelta(hours=2), MOMENT), again.num_rows)
    for column in ("occurred_at", "ingested_at"):
        again = again.set_column(again.column_names.index(column), column, at)
    clicks = pa.concat_tables([clicks, again])
    bare = {name: pa.nulls(clicks.num_rows, clicks.schema.field(name).type) for name in ("position", "session_id")}
    for name, column in {**bare, "event_id": pa.array(range(clicks.num_rows), pa.int64())}.items():
        clicks = clicks.set_column(clicks.column_names.index(name), name, column)
    return {**world, "reading_events": clicks}


@pytest.mark.parametrize("name", [name for name in MODELS if name not in BASELINES or name == "co_reading"])
def test_a_log_of_clicks_alone_is_ranked_as_in_the_batch_too(settings, world, name, tmp_path):
    log, own = clicks_alone(world), settings.model_copy(update={"home": tmp_path})
    builds = {purpose: build(own, log, purpose) for purpose in ("training", "scoring")}
    model = fit(name, open_scenes(builds["training"]), open_outcomes(builds["training"]))
    model.save(tmp_path)
    complete(tmp_path, name, builds["training"])
    found = Artifact.load(tmp_path).recommend(log["reading_events"], AS_OF, DEPTH, readers=log["subscribers"])
    expected = model.rank(open_scenes(builds["scoring"]), DEPTH)
    assert found.to_pylist() == expected.to_pylist()


ANSWER = """
import socket, sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise OSError(f"no network here: {event}")
sys.addaudithook(refuse)
import pyarrow.parquet as pq
from include.models.artifact import Artifact
histories, readers = pq.read_table("histories.parquet"), pq.read_table("readers.parquet")
for folder in sys.argv[1:]:
    model = Artifact.load(folder)
    pq.write_table(model.recommend(histories, k=20, readers=readers), model.model.name + ".parquet")
"""


def test_it_answers_where_there_is_no_database_and_no_network(folders, batches, world, tmp_path):
    pq.write_table(world["reading_events"], tmp_path / "histories.parquet")
    pq.write_table(world["subscribers"], tmp_path / "readers.parquet")
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("DAYBREAK_", "PG", "MLFLOW_"))}
    nowhere = {"DAYBREAK_HOME": str(tmp_path / "nothing"), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-W", "ignore", "-c", ANSWER, *map(str, folders.values())]
    subprocess.run(command, check=True, cwd=tmp_path, env={**bare, **nowhere})
    for name, batch in batches.items():
        assert pq.read_table(tmp_path / f"{name}.parquet").equals(batch)


def test_what_was_read_in_this_very_session_never_comes_back(name, artifacts, world):
    asked = {"k": 5, "readers": [READER]}
    before = ids(artifacts[name].recommend(session(), AS_OF, **asked))
    for at, as_of in ((AS_OF, AS_OF), (AS_OF + timedelta(minutes=3), AS_OF + timedelta(minutes=4))):
        after = ids(artifacts[name].recommend(session(*before, at=at), as_of, **asked))
        assert len(after) == 5
        assert not set(before) & set(after)


def test_the_reads_of_this_session_count_for_the_next_answer(two_stage, world):
    """A stranger who reads sport for ten minutes is given sport."""
    sport = [row["article_id"] for row in world["articles"].to_pylist()[-80:] if row["article_id"] % 4 == 1]
    read = session(*sport[:6], reader=NOBODY, at=AS_OF - timedelta(minutes=9)).assign(dwell_seconds=300.0)

    def share(found):
        return sum(one % 4 == 1 for one in ids(found)) / found.num_rows

    assert share(two_stage.recommend(read)) > share(two_stage.recommend(session(), readers=[NOBODY])) + 0.2


def test_unknown_readers_and_unknown_articles_are_answered(name, artifacts):
    found = artifacts[name].recommend(session(NOWHERE, reader=NOBODY, at=AS_OF - timedelta(hours=1)), AS_OF)
    assert found.column("reader_id").unique().to_pylist() == [NOBODY]
    assert found.column("rank").to_pylist() == list(range(1, 11))


def test_what_comes_after_the_moment_is_not_looked_at(two_stage, world):
    later = session(*(1000 + n for n in range(40)), at=AS_OF + timedelta(seconds=1))
    now = two_stage.recommend(of_reader(world), AS_OF)
    columns = of_reader(world).select(["reader_id", "article_id", "occurred_at", "kind", "dwell_seconds"]).to_pandas()
    assert two_stage.recommend(pd.concat([columns, later]), AS_OF).num_rows == now.num_rows
    known = of_reader(world).select(["reader_id", "article_id", "occurred_at"])
    told = pa.concat_tables([known, pa.Table.from_pandas(later, known.schema, preserve_index=False)])
    assert two_stage.recommend(told, AS_OF).equals(two_stage.recommend(known, AS_OF))


def test_a_table_a_data_frame_and_rows_give_the_same(two_stage, world):
    table = of_reader(world).select(["reader_id", "article_id", "occurred_at", "dwell_seconds", "kind"])
    expected = two_stage.recommend(table, AS_OF)
    naive = table.to_pandas()
    naive["occurred_at"] = naive["occurred_at"].dt.tz_localize(None).astype("datetime64[ns]")
    for given in (table.to_pandas(), table.to_pylist(), table.combine_chunks().to_batches()[0], naive):
        assert two_stage.recommend(given, AS_OF).equals(expected)
    assert two_stage.recommend(table, AS_OF.replace(tzinfo=None)).equals(expected)


def test_given_candidates_are_ordered_without_what_was_read(name, artifacts):
    live = ids(artifacts[name].recommend(session(), AS_OF, 10, readers=[READER]))
    read = session(live[0], at=AS_OF - timedelta(minutes=1))
    pairs = pa.table({"reader_id": [READER] * 6, "article_id": [*live[:5], NOWHERE]})
    for given in ([*live[:5], NOWHERE], pairs):
        found = artifacts[name].recommend(read, AS_OF, 10, candidates=given)
        assert set(ids(found)) == set(live[1:5])


def test_a_fresher_crowd_brings_what_has_come_since(settings, two_stage):
    later = AS_OF + timedelta(hours=3)
    fresh = build(settings, tiny.known_at(tiny.tiny(), later, days=5), "scoring", later) / crowds.FOLDER
    models = (two_stage, two_stage.with_crowd(fresh))
    old, new = (one.recommend(session(), later, 10, readers=[READER]) for one in models)
    newest = max(ids(old))
    assert max(ids(new)) > newest
    published = Crowd.open(fresh).articles.filter(pc.field("published_at") >= pa.scalar(AS_OF, MOMENT))
    assert set(ids(new)) & set(published.column("article_id").to_pylist())


def test_between_two_quarters_of_an_hour_the_world_stays_and_time_goes_on(two_stage, world):
    histories = of_reader(world)
    minutes = [two_stage.recommend(histories, AS_OF + timedelta(minutes=n)) for n in (1, 14)]
    assert minutes[0].column("list_at").unique().to_pylist() == [AS_OF + timedelta(minutes=1)]
    known = two_stage.crowd.world_at(AS_OF + timedelta(minutes=14)).at(AS_OF + timedelta(minutes=14)).articles
    assert known.drop_columns(["list_at"]).equals(
        two_stage.crowd.world_at(AS_OF).scenes.articles.drop_columns(["list_at"])
    )
    assert two_stage.crowd.world_at(AS_OF + timedelta(minutes=15)).moment == AS_OF + timedelta(minutes=15)


# The crowd


def last_day(world):
    since = pa.scalar(AS_OF - timedelta(days=1), MOMENT)
    return world["reading_events"].filter(pc.field("occurred_at") >= since)


def test_equal_logs_give_equal_bytes(settings, world, scoring, tmp_path):
    turned = {name: table.take(pa.array(range(table.num_rows - 1, -1, -1))) for name, table in world.items()}
    keep_crowd(settings, tiny.store(settings, turned, order="descending"), tmp_path)
    assert digest_folder(tmp_path / crowds.FOLDER) == digest_folder(scoring / crowds.FOLDER)


def test_a_crowd_holds_a_day_of_events_and_no_readers_id(scoring, world):
    crowd = Crowd.open(scoring / crowds.FOLDER)
    day = last_day(world)
    since = pc.field("occurred_at") >= pa.scalar(AS_OF - timedelta(days=1), MOMENT)
    assert crowd.events.filter(since).num_rows == day.num_rows
    older = crowd.events.filter(~since)
    assert 0 < older.num_rows <= 3 * len(older.column("article_id").unique())
    numbers = crowd.events.column("reader_id").unique().to_pylist()
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    pairs = set(zip(*(crowd.events.column(one).to_pylist() for one in ("reader_id", "article_id")), strict=True))
    assert pairs != set(zip(*(day.column(one).to_pylist() for one in ("reader_id", "article_id")), strict=True))
    files = sum(path.stat().st_size for path in (scoring / crowds.FOLDER).iterdir())
    assert files < 40 * (crowd.events.num_rows + crowd.articles.num_rows)


def test_a_crowd_too_large_leaves_out_whole_readers_and_says_so(settings, world, scoring, monkeypatch, tmp_path):
    monkeypatch.setattr(crowds, "MOST_EVENTS", 1_000)
    keep_crowd(settings, tiny.store(settings, world), tmp_path)
    kept = Crowd.open(tmp_path / crowds.FOLDER)
    assert 900 < kept.events.num_rows <= 1_000
    whole = last_day(world)
    since = pc.field("occurred_at") >= pa.scalar(AS_OF - timedelta(days=1), MOMENT)

    def sizes(events):
        return set(events.group_by("reader_id").aggregate([([], "count_all")]).column("count_all").to_pylist())

    assert sizes(kept.events.filter(since)) <= sizes(whole)
    came = len(whole.column("reader_id").unique())
    assert kept.about["rows"]["left_out_readers"] == came - len(kept.events.filter(since).column("reader_id").unique())
    assert Crowd.open(scoring / crowds.FOLDER).about["rows"]["left_out_readers"] == 0


# What it refuses

GOOD = {"reader_id": 1, "article_id": 2, "occurred_at": AS_OF}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"reader_id": 1, "article_id": 2}], "have no column occurred_at; they have reader_id, article_id"),
        ([{**GOOD, "dwell": 3.0}], "1 unknown column: dwell"),
        ([GOOD, {**GOOD, "article_id": None}], "1 of 2 rows of histories have no article_id; the first: 1"),
        ([{**GOOD, "reader_id": "anna"}], "Column reader_id of histories .* cannot be read as int64"),
        ([{**GOOD, "reader_id": 1.5}], "Column reader_id of histories .* cannot be read as int64"),
        ([{**GOOD, "occurred_at": 1_700_000_000}], "Column occurred_at of histories .* it must hold timestamps"),
        ([{**GOOD, "kind": "liked"}], "1 of 1 rows of histories have an unknown kind"),
        ([{**GOOD, "dwell_seconds": -1.0}], "1 of 1 rows of histories have a negative or infinite dwell_seconds"),
        ([{**GOOD, "dwell_seconds": float("inf")}], "have a negative or infinite dwell_seconds"),
        (3, "histories cannot be read as a table"),
        ("no table", "histories cannot be read as a table"),
    ],
)
def test_a_bad_history_is_refused_with_what_and_how_many(two_stage, rows, said):
    with pytest.raises(BadInput, match=said) as caught:
        two_stage.recommend(rows, AS_OF)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"k": 0}, "k is 0"),
        ({"k": True}, "k is True"),
        ({"k": 2.5}, "k is 2.5"),
        ({"as_of": "today"}, "as_of is 'today'"),
        ({"as_of": pd.NaT}, "as_of is NaT"),
        ({"as_of": AS_OF - timedelta(minutes=1)}, "The crowd knows the day before 2025-03-09 00:00 UTC"),
        ({"as_of": AS_OF + timedelta(days=9)}, "None of the [0-9,]+ articles .* is live at 2025-03-18"),
        ({"as_of": datetime(9999, 12, 31, tzinfo=UTC)}, "None of the"),
        ({"readers": ["anna"]}, "of readers .* cannot be read as int64"),
        ({"readers": [1, None]}, "1 of 2 rows of readers have no reader_id"),
        ({"readers": pa.table({"reader_id": [1, 1]})}, "1 of 2 rows of readers repeat a reader"),
        ({"readers": pa.table({"reader": [1]})}, "readers have no column reader_id"),
        ({"candidates": ["a"]}, "of candidates .* cannot be read as int64"),
        ({"candidates": pa.table({"article": [1]})}, "candidates have no column reader_id, article_id"),
    ],
)
def test_a_bad_question_is_refused(two_stage, more, said):
    with pytest.raises(BadInput, match=said) as caught:
        two_stage.recommend([GOOD], **{"as_of": AS_OF, **more})
    assert caught.value.hint


def test_without_anybody_who_asks_the_answer_is_empty(name, artifacts, world):
    assert artifacts[name].recommend(world["reading_events"].slice(0, 0), AS_OF).num_rows == 0
    assert artifacts[name].recommend(world["reading_events"], AS_OF, readers=[]).num_rows == 0
    assert artifacts[name].recommend(of_reader(world), AS_OF, candidates=[]).num_rows == 0


def test_a_folder_that_holds_no_artifact_is_named(tmp_path):
    with pytest.raises(ArtifactDamaged, match=f"{tmp_path} lacks artifact.json"):
        Artifact.load(tmp_path)


def test_a_crowd_of_other_features_is_refused(scoring, tmp_path):
    shutil.copytree(scoring / crowds.FOLDER, tmp_path / "old")
    about = json.loads((tmp_path / "old" / "crowd.json").read_text())
    (tmp_path / "old" / "crowd.json").write_text(json.dumps({**about, "feature_version": "v0"}))
    with pytest.raises(ArtifactDamaged, match="was made for features v0"):
        Crowd.open(tmp_path / "old")
