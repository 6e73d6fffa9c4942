"""What draws readers of one region: places that only they are near, and not what draws everybody."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from include.models.kinds.two_stage.regional import Leftover, find_regional, fit_regional

ARTICLES, VIEWS = 300, 340
WORDS = ("harbour", "prairie", "storm", "budget", "match", "recipe")
USUAL = 0.2


def tell(words):
    """Articles that say these words."""
    ids = pa.array(np.arange(1, len(words) + 1), pa.int64())
    return pa.table({"article_id": ids, "title": pa.array(words), "summary": pa.nulls(len(words), pa.string())})


@pytest.fixture(scope="module")
def planted():
    """A crowd of two regions: `harbour` draws the south and repels the north, `prairie` the other way; `storm` draws
    everybody, the rest nobody."""
    random = np.random.default_rng(3)
    said = random.integers(0, len(WORDS), ARTICLES)
    article = np.repeat(np.arange(ARTICLES), VIEWS)
    north = np.tile(np.arange(VIEWS) % 2 == 0, ARTICLES)
    lean = np.array([-0.6, 0.6, 0.0, 0.0, 0.0, 0.0])[said[article]] * np.where(north, 1, -1)
    odds = np.log(USUAL / (1 - USUAL)) + lean + 1.0 * (said[article] == 2)
    opened = random.random(len(article)) < 1 / (1 + np.exp(-odds))
    region = np.where(north, "north", "south").astype(object)
    left = Leftover(article + 1, region, opened - USUAL, np.full(len(article), USUAL * (1 - USUAL)))
    return fit_regional(tell([f"The {WORDS[word]} story" for word in said]), left), left


def ask(parts, words):
    found = find_regional(parts, tell(words)).to_pylist()
    return {(words[row["article_id"] - 1], row["region"]): row["regional_pull"] for row in found}


def test_a_place_draws_the_readers_of_its_region_alone(planted):
    pulls = ask(planted[0], list(WORDS))
    assert pulls["harbour", "south"] > 0.4 > -0.4 > pulls["harbour", "north"]
    assert pulls["prairie", "north"] > 0.4 > -0.4 > pulls["prairie", "south"]


def test_what_draws_everybody_or_nobody_tells_no_regions_apart(planted):
    pulls = ask(planted[0], list(WORDS))
    assert all(abs(pulls[word, region]) < 0.12 for word in WORDS[2:] for region in ("north", "south"))


def test_an_article_of_words_never_met_and_one_without_any_draw_all_regions_alike(planted):
    assert set(ask(planted[0], ["unheard", "of"]).values()) == {0.0}
    assert find_regional(planted[0], tell([])).num_rows == 0


def test_one_region_or_none_has_no_pulls(planted):
    catalogue = tell(["harbour"] * ARTICLES)
    rows = np.tile(np.arange(ARTICLES), VIEWS)
    for name in ("north", None):
        left = Leftover(rows + 1, np.array([name] * len(rows), object), np.ones(len(rows)), np.ones(len(rows)))
        assert fit_regional(catalogue, left) == {}
    assert find_regional({}, catalogue).num_rows == 0


def test_where_little_was_seen_no_region_has_pulls(planted):
    some = Leftover(*(column[::3] for column in vars(planted[1]).values()))
    assert fit_regional(tell([f"The {WORDS[article % 6]} story" for article in range(ARTICLES)]), some) == {}


def test_an_unknown_region_and_an_unknown_article_change_nothing(planted):
    parts, left = planted
    more = Leftover(
        np.append(left.article_id, [1, 10**9]),
        np.append(left.region, np.array([None, "north"], object)),
        np.append(left.pull, [5.0, 5.0]),
        np.append(left.curve, [1.0, 1.0]),
    )
    said = find_regional(parts, tell(list(WORDS)))
    catalogue = tell(
        [f"The {WORDS[word]} story" for word in np.random.default_rng(3).integers(0, len(WORDS), ARTICLES)]
    )
    assert find_regional(fit_regional(catalogue, more), tell(list(WORDS))).equals(said)
