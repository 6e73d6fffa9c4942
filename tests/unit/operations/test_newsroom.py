"""The demo newsroom's world, without a database: it must repeat itself, hold together, and be worth personalising."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from include.operations.demo.newsroom import headlines, truth
from include.operations.demo.newsroom.events import (
    FINISHED,
    FRONT,
    LIST,
    LIST_SHARE,
    OPENED,
    SEARCH,
    SHOWN,
    Events,
    Lists,
    Memory,
    join,
)
from include.operations.demo.newsroom.play import make_chunk
from include.operations.demo.newsroom.readers import DAY, HOUR
from include.operations.demo.newsroom.truth import expected_dwell, live_articles
from include.operations.demo.newsroom.visits import STEP_US, VISITS_PER_STEP
from include.operations.demo.newsroom.words import DESKS
from include.operations.demo.newsroom.world import Parameters, Scenario, World, to_moment, to_us

START = datetime(2026, 11, 6, tzinfo=UTC)
START_US = to_us(START)
SIZE = {"readers": 600, "articles_per_day": 480, "started_us": START_US}


def make_world(*scenarios: Scenario, seed: int = 7) -> World:
    return World(Parameters(seed=seed, **SIZE), scenarios)


def play_days(world: World, *cuts: float, lists: Lists | None = None) -> Events:
    """The log of the days between the first cut and the last, played span by span."""
    memory = Memory(*(np.empty(0, np.int64) for _ in range(3)))
    moments = [START_US + int(cut * DAY) // STEP_US * STEP_US for cut in cuts]
    return join(make_chunk(world, a, b, memory, lambda readers: lists).events for a, b in pairwise(moments))


def same(a: Events, b: Events) -> bool:
    return all(
        np.array_equal(getattr(a, c.name), getattr(b, c.name), equal_nan=c.name == "seconds") for c in fields(Events)
    )


def keys(events: Events, *names: str) -> set[tuple[int, ...]]:
    return set(zip(*(getattr(events, name).tolist() for name in names), strict=True))


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def log(world: World) -> Events:
    return play_days(world, 0, 1, 2, 3)


def test_the_same_seed_gives_the_same_world_and_another_seed_another(log: Events) -> None:
    assert same(log, play_days(make_world(), 0, 1, 2, 3))
    assert not same(log, play_days(make_world(seed=8), 0, 1, 2, 3))


def test_playing_in_parts_equals_playing_in_one_go(log: Events) -> None:
    assert same(log, play_days(make_world(), 0, 0.3, 0.31, 1.7, 2.95, 3))


def test_stories_are_the_same_whichever_hours_are_asked_for_first() -> None:
    noon = START_US // HOUR + 12
    whole, part = make_world().stories(noon - 20, noon), make_world().stories(noon - 2, noon)
    later = np.arange(part.first_no - whole.first_no, len(whole))
    for column in fields(part)[1:]:
        assert np.array_equal(getattr(whole.pick(later), column.name), getattr(part, column.name)), column.name


def test_a_week_brings_the_articles_asked_for(world: World) -> None:
    first = START_US // HOUR
    assert len(world.stories(first, first + 168)) == pytest.approx(7 * SIZE["articles_per_day"], abs=1)


def test_an_article_is_found_by_its_number(world: World) -> None:
    first = START_US // HOUR
    stories = world.stories(first + 5, first + 30)
    numbers = stories.first_no + np.array([0, len(stories) - 1])
    begin, end = world.hours_of_stories(numbers)
    assert begin * HOUR <= stories.published_us[0] < (begin + 1) * HOUR
    assert (end - 1) * HOUR <= stories.published_us[-1] < end * HOUR


def test_every_read_has_its_click_and_every_click_outside_search_its_impression(log: Events) -> None:
    link = ("visit", "reader", "story", "place", "slot")
    shown, opened, finished = (log.pick(log.action == action) for action in (SHOWN, OPENED, FINISHED))
    assert len(finished) > 500
    assert keys(finished, *link) <= keys(opened, *link)
    assert keys(opened.pick(opened.place != SEARCH), *link) <= keys(shown, *link)
    assert not (shown.place == SEARCH).any()


def test_only_reads_have_seconds_and_only_shown_stories_a_slot(log: Events) -> None:
    assert np.array_equal(np.isnan(log.seconds), log.action != FINISHED)
    assert np.array_equal(log.slot == 0, log.place == SEARCH)


def test_nobody_opens_a_story_twice_within_a_day_and_a_half(log: Events) -> None:
    opened = log.pick(log.action == OPENED)
    assert len(keys(opened, "reader", "story")) > 500
    order = np.lexsort((opened.visit, opened.story, opened.reader))
    again = opened.pick(order)
    pair = (np.diff(again.reader) == 0) & (np.diff(again.story) == 0)
    assert (np.diff(again.visit // VISITS_PER_STEP)[pair] > 216).all()


def test_the_log_receives_rows_after_they_happened_and_in_order(log: Events) -> None:
    assert (np.diff(log.logged_us) >= 0).all()
    lag = log.logged_us - log.happened_us
    assert lag.min() > 0
    assert lag.max() < 5 * 60 * 1_000_000


def test_nobody_reads_before_signing_up_nor_a_story_before_it_is_received(world: World, log: Events) -> None:
    readers = world.readers(int(log.reader.max()))
    assert (readers.signed_up_us[log.reader - 1] < log.happened_us).all()
    stories = world.stories(START_US // HOUR - 24, START_US // HOUR + 72)
    assert (stories.received_us[log.story - stories.first_no] < log.happened_us).all()


def test_readers_sign_up_while_the_world_is_played_and_others_fade(world: World) -> None:
    assert world.count_readers(START_US) == 558
    assert world.count_readers(START_US + 14 * DAY) == 600
    first = world.readers(600).pick(np.arange(500))
    assert truth.active_share(first, START_US + 14 * DAY).sum() < 0.97 * truth.active_share(first, START_US).sum()


def test_higher_slots_are_opened_more_often(log: Events) -> None:
    front = log.place == FRONT
    shown, opened = (np.bincount(log.slot[front & (log.action == action)], minlength=13) for action in (SHOWN, OPENED))
    assert opened[1:4].sum() / shown[1:4].sum() > 1.4 * opened[8:13].sum() / shown[8:13].sum()


def test_dwell_rises_with_fit(world: World, log: Events) -> None:
    read = log.pick(log.action == FINISHED)
    stories = world.stories(START_US // HOUR - 24, START_US // HOUR + 72)
    rows = (read.story - stories.first_no)[:, None]
    readers = world.readers(600).pick(read.reader - 1)
    suited = truth.fit(world, readers, stories, rows, read.happened_us)[:, 0]
    low, high = np.quantile(suited, [0.25, 0.75])
    per_word = read.seconds / stories.words[rows[:, 0]]
    assert per_word[suited > high].mean() > 1.5 * per_word[suited < low].mean()


def test_the_log_follows_the_planted_chance_to_open(world: World, log: Events) -> None:
    first = log.pick((log.place == FRONT) & (log.slot == 1))
    shown = first.pick(first.action == SHOWN)
    stories = world.stories(START_US // HOUR - 24, START_US // HOUR + 72)
    rows = (shown.story - stories.first_no)[:, None]
    suited = truth.fit(world, world.readers(600).pick(shown.reader - 1), stories, rows, shown.happened_us)
    chance = truth.open_chance(suited, truth.appeal(stories, rows, shown.happened_us[:, None])).sum()
    # what was opened before is not opened again, hence somewhat less than the chance alone
    assert 0.75 * chance < (first.action == OPENED).sum() < 1.05 * chance


@pytest.mark.parametrize("hours", [40, 65])
def test_the_ten_best_for_a_reader_beat_the_ten_most_popular(world: World, hours: int) -> None:
    at = START + timedelta(hours=hours)
    readers = np.arange(1, 401)
    seconds = expected_dwell(world, readers, live_articles(world, at), at)
    personal = np.sort(seconds, axis=1)[:, -10:].sum(axis=1).mean()
    popular = np.sort(seconds.mean(axis=0))[-10:].sum()
    chance = 10 * seconds.mean()
    assert popular > 3 * chance, "popularity must be a baseline worth beating"
    assert personal > 2.5 * popular


def test_the_ten_best_for_a_reader_beat_the_most_popular_in_their_region_and_language(world: World) -> None:
    at = START + timedelta(hours=60)
    ids = np.arange(1, 401)
    seconds = expected_dwell(world, ids, live_articles(world, at), at)
    readers = world.readers(400).pick(ids - 1)
    edition = readers.region * 4 + readers.language
    popular = sum(np.sort(seconds[edition == e].mean(axis=0))[-10:].sum() * (edition == e).mean() for e in set(edition))
    assert np.sort(seconds, axis=1)[:, -10:].sum(axis=1).mean() > 1.6 * popular


def test_the_subtopic_carries_taste_that_the_desk_does_not(world: World) -> None:
    taste = world.group_taste.reshape(-1, len(DESKS), 4)
    assert taste.var(axis=2).mean() > 0.4 * taste.var()


def test_expected_dwell_of_pairs_is_that_of_the_matrix(world: World) -> None:
    at = START + timedelta(hours=30)
    articles = live_articles(world, at)[-50:]
    matrix = expected_dwell(world, np.array([3, 9]), articles, at)
    pairs = expected_dwell(world, np.array([3, 9]), articles[[4, 7]][:, None], at)
    assert pairs[:, 0] == pytest.approx([matrix[0, 4], matrix[1, 7]])


def test_an_article_peaks_within_hours_and_fades(world: World) -> None:
    article = live_articles(world, START + timedelta(hours=10))[-1:]
    published = to_moment(int(world.stories(*world.hours_of_stories(article)).published_us[-1]))
    hours = (0.05, 3, 12, 40)
    worth = [expected_dwell(world, np.arange(1, 300), article, published + timedelta(hours=h)).mean() for h in hours]
    assert worth[1] > worth[0]
    assert worth[1] > 1.4 * worth[2] > 3 * worth[3]


def test_breaking_news_bursts() -> None:
    at_us = START_US + DAY
    burst = make_world(Scenario("breaking", at_us, {"boost": 4.0}))
    stories = burst.stories(at_us // HOUR, at_us // HOUR + 2)
    article = stories.first_no + int(np.flatnonzero(stories.published_us >= at_us)[0])

    def opened(world: World) -> int:
        log = play_days(world, 1, 1.5)
        return int(((log.story == article) & (log.action == OPENED)).sum())

    assert opened(burst) > 40
    assert opened(make_world()) < 20


def test_a_scenario_changes_nothing_before_it_starts(log: Events) -> None:
    later = START_US + 3 * DAY
    world = make_world(
        Scenario("drift", later, {"share": 0.7, "groups": 4}),
        Scenario("breaking", later, {"boost": 4.0}),
    )
    assert same(log, play_days(world, 0, 1, 2, 3))


def test_drift_turns_the_taste_of_the_share_asked_for() -> None:
    world = make_world(Scenario("drift", START_US + DAY, {"share": 0.7, "groups": 4}))
    readers = world.readers(600).pick(np.arange(558))

    def main_group(at: int) -> np.ndarray:
        return truth.taste_mix(world, readers, np.full(558, at)).argmax(axis=1)

    turned = main_group(START_US + DAY) == (main_group(START_US + DAY - 1) + 4) % 10
    assert turned.mean() == pytest.approx(0.7, abs=0.06)


def test_readers_are_shown_their_list_by_rank_and_stay_longer_when_it_suits_them(world: World) -> None:
    at = START + timedelta(days=2)
    ids = np.arange(1, 559)
    live = live_articles(world, at, 24)
    seconds = expected_dwell(world, ids, live, at)
    best = live[np.argsort(-seconds, axis=1)[:, :10]]
    by_chance = np.random.default_rng(1).permuted(np.tile(live, (len(ids), 1)), axis=1)[:, :10]

    def played(articles: np.ndarray) -> Events:
        log = play_days(make_world(), 2, 2.5, lists=Lists(ids, articles, 0, to_us(at)))
        return log.pick(log.place == LIST)

    good, bad = played(best), played(by_chance)
    shown = good.pick(good.action == SHOWN)
    assert np.array_equal(shown.story, best[shown.reader - 1, shown.slot - 1])
    assert (good.list_code == 0).all()
    visits = play_days(make_world(), 2, 2.5).visit
    assert len(set(shown.visit)) / len(set(visits)) == pytest.approx(LIST_SHARE, abs=0.08)
    assert np.nansum(good.seconds) > 5 * np.nansum(bad.seconds)


def test_a_list_made_later_is_not_shown_yet(world: World) -> None:
    lists = Lists(np.arange(1, 559), np.ones((558, 10), np.int64), 0, START_US + DAY)
    assert not (play_days(world, 0, 0.5, lists=lists).place == LIST).any()


def test_headlines_say_what_a_story_is_about_and_rarely_repeat(world: World) -> None:
    stories = world.stories(START_US // HOUR, START_US // HOUR + 24)
    rows = np.arange(len(stories))
    titles, teasers = headlines.compose(world, stories, rows)
    assert headlines.compose(make_world(), stories, rows[5:9]) == (titles[5:9], teasers[5:9])
    assert len(set(zip(titles, teasers, strict=True))) > 0.98 * len(rows)
    for topic, title in zip(stories.topic, titles, strict=True):
        _, who, what = headlines.TOPIC_WORDS[topic]
        assert any(word.lower() in title.lower() for word in who + what), title


def test_every_publisher_has_a_name_of_its_own() -> None:
    assert len({headlines.outlet_name(outlet) for outlet in range(40)}) == 40
