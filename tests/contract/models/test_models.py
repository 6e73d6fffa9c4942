"""The rules that every recommender must keep; each file in include/models/kinds is tested here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.core.settings import Settings
from include.data.store import digest_folder
from include.features.build import compute_features
from include.features.scenes import open_outcomes, open_scenes, rows_between
from include.judging.bootstrap import find_gaps
from include.judging.metrics import evaluate
from include.judging.trial import what_was_shown
from include.lists.arrange import ListLimits, make_lists
from include.models import BASELINES, MODELS, RANKED, model_class
from include.models.kinds import two_stage
from tests.worlds import tiny

AS_OF = tiny.AS_OF
HOLDOUT = AS_OF - timedelta(hours=24)
LONG_AGO = AS_OF - timedelta(days=365)
DEPTH = 40
NOBODY = 999_999


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("models"), **tiny.TINY)


@pytest.fixture(scope="module")
def build(settings):
    world = tiny.known_at(tiny.tiny(), AS_OF, days=5)
    compute_features(settings, tiny.store(settings, world), "training", settings.home / "b", settings.home / "b")
    return settings.home / "b"


@pytest.fixture(scope="module")
def scenes(build):
    return open_scenes(build)


@pytest.fixture(scope="module")
def outcomes(build):
    return open_outcomes(build)


def fit(name, scenes, outcomes, seed=7):
    model = model_class(name)()
    model.fit(scenes.between(LONG_AGO, HOLDOUT), rows_between(outcomes, LONG_AGO, HOLDOUT), seed=seed)
    return model


class OnDemand(dict):
    """Values worked out on first use, so that one model can be tested without the others."""

    def __init__(self, work):
        self.work = work

    def __missing__(self, name):
        self[name] = self.work(name)
        return self[name]


@pytest.fixture(scope="module")
def fitted(scenes, outcomes):
    """Every model, fitted on what came before the hold-out."""
    return OnDemand(lambda name: fit(name, scenes, outcomes))


@pytest.fixture(scope="module")
def holdout(scenes):
    """Return the scenes of the hold-out, with one unknown reader at each moment."""
    some = scenes.between(HOLDOUT, AS_OF)
    moments = some.requests.column("list_at").unique()
    strangers = pa.table({"reader_id": pa.array([NOBODY] * len(moments), pa.int64()), "list_at": moments})
    return replace(
        some,
        requests=pa.concat_tables([some.requests, strangers]),
        readers=pa.concat_tables([some.readers, strangers], promote_options="default"),
    )


@pytest.fixture(scope="module")
def rankings(fitted, holdout):
    return OnDemand(lambda name: fitted[name].rank(holdout, DEPTH))


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def ranked(name, rankings):
    return rankings[name]


def pairs(table, *columns):
    return set(zip(*(table.column(column).to_pylist() for column in columns), strict=True))


def test_a_ranking_has_the_columns_that_were_agreed(ranked):
    assert ranked.schema.equals(RANKED)


def test_the_model_of_a_name_is_called_by_it(name):
    assert model_class(name).name == name


def test_a_model_that_was_saved_and_loaded_ranks_as_before(name, fitted, ranked, holdout, tmp_path):
    fitted[name].save(tmp_path)
    assert model_class(name).load(tmp_path).rank(holdout, DEPTH).equals(ranked)


def test_the_same_seed_gives_the_same_files(name, fitted, scenes, outcomes, tmp_path):
    for folder, model in (("a", fitted[name]), ("b", fit(name, scenes, outcomes))):
        (tmp_path / folder).mkdir()
        model.save(tmp_path / folder)
    assert digest_folder(tmp_path / "a") == digest_folder(tmp_path / "b")


def test_saving_leaves_at_least_one_file(name, fitted, tmp_path):
    fitted[name].save(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.stat().st_size]


def test_nobody_is_recommended_what_they_have_read(ranked, holdout):
    read = holdout.reads.to_pylist()
    then = {}
    for row in read:
        then.setdefault((row["reader_id"], row["article_id"]), row)
    for row in ranked.to_pylist():
        known = then.get((row["reader_id"], row["article_id"]))
        assert known is None or not (known["read_at"] < row["list_at"] and known["known_at"] < row["list_at"])


def test_only_articles_that_are_live_at_the_moment_are_recommended(ranked, holdout):
    assert pairs(ranked, "list_at", "article_id") <= pairs(holdout.articles, "list_at", "article_id")


def test_every_reader_gets_a_ranking_and_one_of_whom_nothing_is_known_too(ranked, holdout):
    assert pairs(ranked, "reader_id", "list_at") == pairs(holdout.requests, "reader_id", "list_at")
    assert NOBODY in ranked.column("reader_id").to_pylist()


def test_ranks_run_from_one_and_no_article_comes_twice(ranked):
    found = {}
    for row in ranked.to_pylist():
        found.setdefault((row["reader_id"], row["list_at"]), []).append((row["rank"], row["article_id"]))
    for rows in found.values():
        assert [rank for rank, _ in rows] == list(range(1, len(rows) + 1))
        assert len({article for _, article in rows}) == len(rows) <= DEPTH


def test_a_better_rank_never_has_a_lower_score(ranked):
    rows = ranked.to_pylist()
    for better, worse in pairwise(rows):
        if worse["rank"] > 1:
            assert better["score"] >= worse["score"]


def test_every_score_is_a_number(ranked):
    assert pc.all(pc.is_finite(ranked.column("score"))).as_py()
    assert ranked.column("score").null_count == 0


def test_every_recommendation_says_why(ranked):
    assert pc.all(pc.greater(pc.utf8_length(ranked.column("reason")), 5)).as_py()
    assert ranked.column("reason").null_count == 0


def test_ranking_twice_gives_the_same(name, fitted, ranked, holdout):
    assert fitted[name].rank(holdout, DEPTH).equals(ranked)


def test_the_order_in_which_readers_are_asked_for_does_not_matter(name, fitted, ranked, holdout):
    turned = pa.array(range(holdout.requests.num_rows - 1, -1, -1))
    reverse = replace(holdout, requests=holdout.requests.take(turned), readers=holdout.readers.take(turned))
    assert fitted[name].rank(reverse, DEPTH).equals(ranked)


def test_a_shallower_ranking_is_the_beginning_of_the_deeper_one(name, fitted, ranked, holdout):
    shallow = fitted[name].rank(holdout, 5)
    assert shallow.equals(ranked.filter(pc.field("rank") <= 5))


def test_given_candidates_are_put_in_order_and_no_others_are_looked_for(name, fitted, holdout, outcomes):
    shown = what_was_shown(rows_between(outcomes, HOLDOUT, AS_OF))
    live = pairs(holdout.articles, "list_at", "article_id")
    expected = {(r, at, article) for r, at, article in pairs(shown, *shown.column_names) if (at, article) in live}
    found = fitted[name].rank(holdout, 1000, shown)
    assert pairs(found, "reader_id", "list_at", "article_id") == expected
    assert found.num_rows == len(expected)


def test_without_a_live_article_the_ranking_is_empty_and_no_error(name, fitted, holdout):
    nothing = replace(holdout, articles=holdout.articles.slice(0, 0), co_reads=holdout.co_reads.slice(0, 0))
    assert fitted[name].rank(nothing, DEPTH).num_rows == 0


def test_without_a_reader_the_ranking_is_empty_and_no_error(name, fitted, holdout):
    nobody = replace(holdout, requests=holdout.requests.slice(0, 0), readers=holdout.readers.slice(0, 0))
    assert fitted[name].rank(nobody, DEPTH).num_rows == 0


def test_words_that_were_never_seen_in_training_do_no_harm(name, fitted, holdout):
    def renamed(table, column):
        place = table.column_names.index(column)
        return table.set_column(place, column, pa.array(["new"] * table.num_rows, pa.string()))

    strange = replace(
        holdout, articles=renamed(holdout.articles, "category"), readers=renamed(holdout.readers, "region")
    )
    assert fitted[name].rank(strange, DEPTH).num_rows > 0


@pytest.fixture(scope="module")
def quality(settings, fitted, scenes, outcomes, build):
    """Return each model's quality on the hold-out, measured as a verdict measures it."""
    some, then = scenes.between(HOLDOUT, AS_OF), rows_between(outcomes, HOLDOUT, AS_OF)
    catalogue, length, shown = pq.read_table(build / "articles"), settings.list_length, what_was_shown(then)

    def measure(name):
        lists = make_lists(ListLimits.of(settings), fitted[name], some, catalogue)
        return evaluate(lists, some, then, length, fitted[name].rank(some, length, shown))

    return OnDemand(measure)


def test_every_model_finds_part_of_what_is_read_next(name, quality):
    assert quality[name].means["ndcg"] > 0.1


def test_every_models_lists_are_full(name, quality):
    assert quality[name].means["full_list_share"] == 1.0


@pytest.mark.parametrize("baseline", BASELINES)
def test_the_default_model_beats_a_baseline_on_planted_taste(baseline, quality):
    ours, theirs = quality["two_stage"], quality[baseline]
    (gap,) = find_gaps((ours.got - theirs.got)[:, None], ours.best[:, None], 7, [0.05])
    assert gap.low > 0.02


def test_time_spent_counts_for_more_than_clicks(fitted, holdout):
    """Readers open short articles twice as often and stay ten times as long on long ones: those come first."""
    ranked = fitted["two_stage"].rank(holdout, 3).filter(pc.field("reader_id") <= tiny.READERS).to_pylist()
    suits = [
        tiny.is_long(row["article_id"]) and row["article_id"] % 4 == tiny.group_of(row["reader_id"]) for row in ranked
    ]
    assert sum(suits) > 0.95 * len(suits)


# What only the default model does


def test_readers_are_ranked_the_same_in_one_part_or_in_many(fitted, rankings, holdout, monkeypatch):
    monkeypatch.setattr(two_stage, "REQUESTS_AT_ONCE", 100)
    assert fitted["two_stage"].rank(holdout, DEPTH).equals(rankings["two_stage"])
