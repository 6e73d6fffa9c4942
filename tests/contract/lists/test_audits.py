"""Features and lists before they are used: each check fails when what it speaks of is broken, and only then."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.contract import MOMENT
from include.core.errors import AuditFailed
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.snapshot import refer_to
from include.data.store import write_json
from include.features.audit import audit_features
from include.lists.audit import audit_lists
from include.models import RANKED
from tests.worlds import tiny

HOUR, AT_ONCE = timedelta(hours=1), timedelta()


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("audits"), **tiny.TINY)


@pytest.fixture(scope="module")
def build(settings):
    return tiny.build(settings, tiny.known_at(tiny.tiny(), tiny.AS_OF, days=5), "scoring")


def with_column(table, name, value):
    """The table whose first row has this value in one column."""
    column = table.column(name)
    first = pa.array([value], column.type)
    changed = pa.chunked_array([first, *column.slice(1).chunks])
    return table.set_column(table.column_names.index(name), table.field(name), changed)


def of_moment(table, moment):
    """The table with all its rows of this moment."""
    column = pa.repeat(pa.scalar(moment, table.schema.field("event_timestamp").type), table.num_rows)
    return table.set_column(table.column_names.index("event_timestamp"), "event_timestamp", column)


FEATURES = {
    "FT101": ("article_stats", lambda t: pa.concat_tables([t, t.slice(0, 1)])),
    "FT102": ("reader_activity", lambda t: pa.concat_tables([t, with_column(t.slice(0, 1), "reader_id", None)])),
    "FT103": (
        "article_stats",
        lambda t: pa.concat_tables([t, with_column(t.slice(0, 1), "event_timestamp", tiny.AS_OF + HOUR)]),
    ),
    "FT104": ("reader_activity", lambda t: with_column(t, "read_seconds", float("nan"))),
    "FT105": ("reader_taste", lambda t: with_column(t, "category_shares", [0.8, 0.7])),
    "FT106": ("reader_activity", lambda t: t.slice(50)),
    "FT107": ("article_stats", lambda t: t.slice(0, 0)),
    "FT108": ("article_stats", lambda t: of_moment(t, tiny.AS_OF - HOUR)),
}


def failed(checks):
    return {check.code for check in checks if check.outcome != "passed"}


def test_a_sound_build_passes(build):
    checks = audit_features(build, tiny.AS_OF, AT_ONCE)
    assert [check.code for check in checks] == list(FEATURES)
    assert failed(checks) == set()


@pytest.mark.parametrize("code", FEATURES)
def test_a_broken_build_fails_by_that_check_alone(code, build, tmp_path):
    view, spoil = FEATURES[code]
    shutil.copytree(build, tmp_path / "build")
    (path,) = (tmp_path / "build" / view).iterdir()
    pq.write_table(spoil(pq.read_table(path)), path)
    assert failed(audit_features(tmp_path / "build", tiny.AS_OF, AT_ONCE)) == {code}


def test_a_build_of_another_day_is_not_taken_for_todays(build):
    """As a folder that somebody put in the place of another, each of its views for itself sound."""
    assert failed(audit_features(build, tiny.AS_OF + 24 * HOUR, AT_ONCE)) == {"FT108"}
    assert failed(audit_features(build, tiny.AS_OF + 3 * HOUR, 3 * HOUR)) == set()


@pytest.fixture(scope="module")
def places(build, settings):
    """Ten live, sound, unread articles for each of twenty readers, not the same for any two."""
    articles = pq.read_table(build / "articles")
    fresh = pc.field("published_at") >= pa.scalar(tiny.AS_OF - 10 * HOUR, MOMENT)
    live = articles.filter(fresh & ~pc.field("is_flagged")).column("article_id").to_pylist()
    read = {(row["reader_id"], row["article_id"]) for row in pq.read_table(build / "reads").to_pylist()}
    rows = []
    for reader in range(1, 21):
        unread = [article for article in live if (reader, article) not in read][reader : reader + 10]
        rows += [
            {
                "reader_id": reader,
                "list_at": tiny.AS_OF,
                "rank": rank,
                "article_id": article,
                "score": 0.5,
                "reason": "w",
            }
            for rank, article in enumerate(unread, 1)
        ]
    return rows


def audited(settings, build, rows, tmp_path):
    pq.write_table(pa.Table.from_pylist(rows, RANKED), tmp_path / "lists.parquet")
    return audit_lists(settings, tmp_path / "lists.parquet", build)


def some_article(build, condition):
    return pq.read_table(build / "articles").filter(condition).column("article_id")[0].as_py()


def test_sound_lists_pass(settings, build, places, tmp_path):
    assert failed(audited(settings, build, places, tmp_path)) == set()


def test_a_list_with_a_wrong_article_fails_by_that_check_alone(settings, build, places, tmp_path):
    old = pa.scalar(tiny.AS_OF - 30 * HOUR, MOMENT)
    fresh = pa.scalar(tiny.AS_OF - 20 * HOUR, MOMENT)
    flagged = pc.field("is_flagged")
    lately = pc.field("read_at") >= fresh
    one = pq.read_table(build / "reads").filter(lately & (pc.field("reader_id") <= 20)).slice(0, 1).to_pylist()[0]
    wrong = {
        "PB106": (1, 999_999),
        "PB107": (1, some_article(build, flagged & (pc.field("published_at") >= fresh))),
        "PB108": (240, some_article(build, ~flagged & (pc.field("published_at") < old))),
        "PB109": (one["reader_id"], one["article_id"]),
    }
    for code, (reader, article) in wrong.items():
        more = [{**places[0], "reader_id": reader, "rank": 11, "article_id": article}]
        assert failed(audited(settings, build, places + more, tmp_path)) == {code}


def test_lists_that_are_all_the_same_are_noted(settings, build, places, tmp_path):
    reads = pq.read_table(build / "reads")
    cold = [{**row, "reader_id": reader} for reader in range(9_000, 9_020) for row in places[:10]]
    assert not set(reads.column("reader_id").to_pylist()) & set(range(9_000, 9_020))
    checks = audited(settings, build, cold, tmp_path)
    assert failed(checks) == {"PB110", "PB111"}
    assert not any(check.blocks for check in checks)


def written(run, build, rows, batch_id, folder):
    """These places as a batch in PostgreSQL, from a file as `score` leaves it."""
    (folder / batch_id).mkdir()
    pq.write_table(pa.Table.from_pylist(rows, RANKED), folder / batch_id / "lists.parquet")
    about = {"as_of": tiny.AS_OF, "model_version": 1, "snapshot_id": "s", "list_length": 10, "readers": 20}
    write_json(folder / batch_id / "batch.json", {"batch_id": batch_id, **about})
    lists = Reference("lists", batch_id, str(folder / batch_id), tiny.AS_OF, "f", (), {"features": str(build)})
    return pipeline.write_batch(run, lists)


def test_a_batch_is_refused_or_let_through_and_a_page_says_why(fresh_warehouse, build, places, tmp_path):
    one = pq.read_table(build / "reads").filter(pc.field("reader_id") == 1).slice(0, 1).to_pylist()[0]
    bad = [{**row, "article_id": one["article_id"]} if row is places[0] else row for row in places[:-1]]
    run = Run(fresh_warehouse, "batch", tiny.AS_OF, "tests")

    sound = written(run, build, places, "sound", tmp_path)
    passed = pipeline.audit(run, sound)
    page = (fresh_warehouse.home / "reports" / passed.facts["report"]).read_text()
    assert passed == replace(sound, facts={**sound.facts, "report": "lists/sound.html"})
    for told in ("Passed: 20 readers", "No lists are live yet", "By category", "By age", "By reason"):
        assert told in page
    pipeline.publish(run, passed)

    with pytest.raises(AuditFailed, match="PB109") as refused:
        pipeline.audit(run, written(run, build, bad, "unsound", tmp_path))
    page = (fresh_warehouse.home / "reports" / refused.value.report).read_text()
    assert "Refused: " in page
    assert "Places with an article that the reader has already read" in page
    assert "198 of 200 live places stay the same (99 %)" in page
    assert "20 readers get a list (now 20), 1 of them a shorter one" in page
    with connect(fresh_warehouse) as warehouse:
        kept = warehouse.execute("select outcome from ops.checks where stage = 'audit' and code = 'PB109'").fetchall()
    assert kept == [("failed",)]


def test_features_are_checked_where_they_are_built_and_what_was_found_is_kept(fresh_warehouse):
    settings = fresh_warehouse.model_copy(update=tiny.TINY)
    world = tiny.known_at(tiny.tiny(), tiny.AS_OF, days=5)
    reference = refer_to(settings, tiny.store(settings, world), "clean_snapshot")
    pipeline.build_features(Run(settings, "features", tiny.AS_OF, "tests"), reference, "training")
    with connect(settings) as warehouse:
        kept = warehouse.execute("select code, outcome from ops.checks where run_id = 'features'").fetchall()
    assert sorted(kept) == [(code, "passed") for code in FEATURES]
