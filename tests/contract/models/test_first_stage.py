"""The first stage of the default model: what is worked out once for all, and what of it is found for each request."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.adapters import duck
from include.features.scene_tables import open_tables, split_requests
from include.models.kinds.queries import run
from include.models.kinds.two_stage.liked import Tastes, find_promising
from include.models.kinds.two_stage.sharing import Shared
from include.models.kinds.two_stage.tasting import NOTHING
from include.models.kinds.two_stage.topics import fit_topics
from tests.worlds import scenes
from tests.worlds.scenes import NOW

LATER = NOW + timedelta(hours=3)
LANGUAGES, PUBLISHERS, TOPICS, READERS = ("en", "es"), ("A", "B", "C"), 8, 30


@pytest.fixture(scope="module")
def tastes():
    """Thirty readers at two moments; tastes are rounded, so that many are equal."""
    random = np.random.default_rng(5)
    asked = pa.table({"reader_id": [*range(READERS)] * 2, "list_at": [NOW] * READERS + [LATER] * READERS})
    topic, publisher = (
        random.standard_normal((2 * READERS, count)).round().astype(np.float32) for count in (TOPICS, len(PUBLISHERS))
    )
    return Tastes(asked, topic, topic, pa.array(PUBLISHERS), publisher, publisher)


@pytest.fixture(scope="module")
def topical():
    """Six articles at most per topic, language and moment, of publishers of whom one is not known."""
    random, rows = np.random.default_rng(6), []
    for article in range(300):
        row = {"list_at": (NOW, LATER)[article % 2], "topic": int(random.integers(TOPICS)), "article_id": article}
        row |= {"language": LANGUAGES[int(random.integers(2))], "publisher": "ABC?"[int(random.integers(4))]}
        shelf = [one for one in rows if all(one[name] == row[name] for name in ("list_at", "topic", "language"))]
        if len(shelf) < 6:
            rows.append({**row, "promise": float(random.integers(-2, 3)), "place": len(shelf) + 1})
    return pa.Table.from_pylist(rows)


def speaking(tastes, *languages):
    rows = [{**row, "language": language} for row in tastes.asked.to_pylist() for language in languages]
    return pa.Table.from_pylist(rows, pa.schema([*scenes.REQUESTS, ("language", pa.string())]))


def search(tastes, topical, languages, liked, most):
    """The same by looking at every pair of request and article."""
    found = []
    for place, request in enumerate(tastes.asked.to_pylist()):
        favourites = sorted(range(TOPICS), key=lambda topic: (-tastes.topic[place, topic], topic))[:liked]
        scores = {}
        for row in topical.to_pylist():
            if row["list_at"] == request["list_at"] and row["language"] in languages and row["topic"] in favourites:
                score = float(tastes.topic[place, row["topic"]]) + row["promise"]
                if row["publisher"] in PUBLISHERS:
                    score += float(tastes.publisher[place, PUBLISHERS.index(row["publisher"])])
                scores[row["article_id"]] = score
        best = sorted(scores, key=lambda article: (-scores[article], article))[:most]
        found += [(request["reader_id"], request["list_at"], article) for article in best]
    return sorted(found)


@pytest.mark.parametrize(("languages", "liked", "most"), [(("en",), 3, 5), (LANGUAGES, 4, 10), (LANGUAGES, 8, 1000)])
def test_the_most_promising_are_those_that_a_look_at_every_pair_finds(tastes, topical, languages, liked, most):
    found = find_promising(tastes, topical, speaking(tastes, *languages), liked=liked, most=most).to_pylist()
    told = sorted((row["reader_id"], row["list_at"], row["article_id"]) for row in found)
    assert told == search(tastes, topical, languages, liked, most)


def test_who_reads_no_language_that_is_offered_is_promised_nothing(tastes, topical):
    assert find_promising(tastes, topical, speaking(tastes, "pt"), liked=3, most=5).num_rows == 0
    assert find_promising(tastes, topical, speaking(tastes), liked=3, most=5).num_rows == 0


def test_parts_of_scenes_hold_each_request_once_and_its_readers_own_reads():
    read = {reader: [reader, 100 + reader] for reader in (9, 5, 1, 7, 2, 3)}
    some = scenes.scenes([1, 3, 5, 7, 9], [scenes.an_article(number) for number in range(3)], read)
    parts = list(split_requests(some, 2))
    assert [part.requests.column("reader_id").to_pylist() for part in parts] == [[1, 3], [5, 7], [9]]
    for part in parts:
        asking = part.requests.column("reader_id").to_pylist()
        assert part.readers.column("reader_id").to_pylist() == asking
        rows = part.reads.to_pylist()
        assert sorted((row["reader_id"], row["article_id"]) for row in rows) == [
            (reader, article) for reader in asking for article in read[reader]
        ]
        assert part.all_reads is some.all_reads


def told(count):
    rows = [
        scenes.an_article(number, title=f"word{number % 4} and more of word{number % 4}", category=f"desk {number % 4}")
        for number in range(count)
    ]
    return scenes.scenes([1], rows[: count // 2], {1: [0]}), rows


def learnt(catalogue):
    return {
        "topics": fit_topics(catalogue, seed=7),
        **{name: NOTHING[name].to_pydict() for name in ("age_rates", "usual_languages")},
    }


def test_what_all_share_is_worked_out_once_for_the_same_articles_and_anew_for_others():
    some, _ = told(240)
    shared = Shared(learnt(some.catalogue))
    first, again = shared.tables_of(some), shared.tables_of(replace(some, requests=some.requests.slice(0, 0)))
    assert all(again[name] is first[name] for name in ("standings", "offers", "topical", "topics"))
    other = replace(some, articles=some.articles.slice(10))
    assert shared.tables_of(other)["standings"].num_rows == first["standings"].num_rows - 10


def test_an_old_article_that_somebody_read_gets_its_topic_when_it_is_first_met():
    some, rows = told(240)
    everything = scenes.catalogue(rows).select(some.catalogue.column_names)
    shared = Shared(learnt(everything))
    some = replace(some, catalogue=everything)
    assert 200 not in shared.tables_of(some)["topics"].column("article_id").to_pylist()
    read = scenes.scenes([2], rows[:1], {2: [200]}).reads
    topics = shared.tables_of(replace(some, reads=read))["topics"]
    topic = dict(zip(*(topics.column(name).to_pylist() for name in ("article_id", "topic")), strict=True))
    assert topic[200] == topic[0]


def test_features_of_pairs_are_never_sought_among_every_reader_by_every_article():
    """Counted in the plan of a database that knows many readers and articles of one moment, and some pairs of them."""
    readers, articles, each = 100, 5000, 500
    some = scenes.scenes([*range(readers)], [scenes.an_article(number) for number in range(articles)])
    rows = pa.array(np.repeat(np.arange(readers), each))
    met = pa.array(np.random.default_rng(3).integers(0, articles, len(rows)))
    pairs = some.requests.take(rows).append_column("article_id", met)
    known = {**Shared({}).tables_of(some), **{name: NOTHING[name] for name in ("tastes", "publisher_tastes")}}
    with open_tables(some, **known) as connection:
        connection.register("pairs", pairs.append_column("position", pa.array(np.ones(len(rows)))))
        connection.register("tongues", run(connection, "tongues", least_share=0.25))
        connection.register("together", run(connection, "together", together_hours=24.0))
        plan = connection.sql("explain analyze " + duck.query("models/kinds/pair_features")).fetchall()[0][1]
    counts = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) rows", plan)]
    assert len(rows) in counts
    assert max(counts) <= len(rows)
