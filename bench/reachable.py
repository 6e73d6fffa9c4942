"""Find the reading time within reach of the demo's log, as a share of the oracle's: the best that any model could do.

A Bayesian knows how the world was made, every story's quality and the taste of each group, but of a reader only the log
and the sign-up form, and takes the articles with the longest expected time. No model without more data does better on
average. The reader's hidden properties are drawn by tempering: particles from the planted distribution, pulled towards
the log step by step and moved by proposals that preserve that distribution.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.operations.demo.newsroom import truth
from include.operations.demo.newsroom.events import NOISE
from include.operations.demo.newsroom.front_page import SEARCH_CANDIDATES
from include.operations.demo.newsroom.readers import DAY, GROUP_SHARES, GROUPS, OUTLET_FACTORS, OWN_FACTORS, Readers
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.words import CATEGORIES, SUBTOPICS
from include.operations.demo.newsroom.world import World, to_us

Array = NDArray[Any]
State = dict[str, Array]

PARTICLES = 800
MOVES, LAST_MOVES = 4, 12
STEP_US = DAY // 4  # tastes change slowly, so one value per step is enough
KEPT_SHARE = 0.5  # share of effective particles kept in a step of the tempering
LIKES_SHARPNESS = 2.5  # how surely ticks follow tastes, if each tick is a noisy choice
REFRESHED_SHARE = 0.3


def find_observations(events: pd.DataFrame) -> pd.DataFrame:
    """Return a row per story shown or found in a visit, with whether it was opened and how long it was read."""
    clicks = events[events["kind"] == "click"]
    found = clicks[clicks["surface"] == "search"]
    met = pd.concat([events[events["kind"] == "impression"], found]).drop(columns="dwell_seconds")
    own = ["session_id", "article_id"]
    met = met.merge(clicks[own].assign(is_opened=True), on=own, how="left")
    met = met.merge(events.loc[events["kind"] == "read", [*own, "dwell_seconds"]], on=own, how="left")
    first = clicks.groupby(["reader_id", "article_id"], as_index=False)["occurred_at"].min()
    met = met.merge(first.rename(columns={"occurred_at": "first_at"}), on=["reader_id", "article_id"], how="left")
    met["is_opened"] = met["is_opened"].notna()
    # readers open no story twice, so a repeated impression says nothing
    met = met[met["is_opened"] | ~(met["occurred_at"] > met["first_at"])]
    return met.drop_duplicates(own).sort_values(["reader_id", "occurred_at", "article_id"])


class ReaderLog:
    """The log of a reader, which weighs particles that may be that reader."""

    def __init__(self, world: World, stories: Stories, reader: Readers, met: pd.DataFrame) -> None:
        self.world, self.reader = world, reader.pick(np.zeros(PARTICLES, np.int64))
        rows = met["article_id"].to_numpy() - stories.first_no
        us = met["occurred_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
        step, self.step = np.unique(us // STEP_US, return_inverse=True)
        self.times_us = (step + 0.5) * STEP_US
        self.topic, self.outlet = stories.topic[rows], stories.outlet[rows]
        self.known = fixed_fit(stories, rows, reader)
        self.appeal = truth.appeal(stories, rows, us)
        place = met["position"].fillna(1).to_numpy(float)
        self.examined, self.stamina = truth.examined_chance(place), 1 - truth.GIVES_UP_PER_SLOT * (place - 1)
        self.is_found = (met["surface"] == "search").to_numpy()
        self.seconds, self.words = met["dwell_seconds"].to_numpy(float), stories.words[rows].astype(float)
        self.is_opened, self.is_read = met["is_opened"].to_numpy(bool), ~np.isnan(self.seconds)
        self.topic_share = np.bincount(stories.topic, minlength=len(CATEGORIES) * SUBTOPICS) / len(stories)
        self.likes = reader.likes[0][reader.likes[0] >= 0]

    def log_chance(self, state: State) -> Array:
        """Return the log-likelihood of the whole log for each particle."""
        particles = as_readers(self.reader, state)
        total = self._of_likes(particles.mix)
        if not len(self.topic):
            return total
        own = particles.own @ self.world.own_topics
        mixes = [truth.taste_mix(self.world, particles, np.full(PARTICLES, at)) for at in self.times_us]
        tastes = np.stack([mix @ self.world.group_taste for mix in mixes], axis=1) + own[:, None, :]
        outlets = particles.outlet_taste @ self.world.outlet_factors
        suited = tastes[:, self.step, self.topic] + outlets[:, self.outlet] + self.known
        chance = truth.open_chance(suited, self.appeal) * self.examined
        opened = np.where(self.is_opened, np.log(chance + 1e-12), np.log1p(-chance))
        found = self.is_found
        others = (SEARCH_CANDIDATES - 1) * np.exp(tastes[:, self.step[found]]) @ self.topic_share
        opened[:, found] = suited[:, found] - np.log(np.exp(suited[:, found]) + others)
        left = truth.bounce_chance(suited)
        stayed = np.where(self.is_read, np.log1p(-left), np.log(left)) * self.is_opened
        read = self.is_opened & self.is_read
        mean = truth.read_seconds(suited[:, read], self.words[read], particles.pace[:, None]) * self.stamina[read]
        off = (np.log(self.seconds[read] / mean) + NOISE**2 / 2) / NOISE
        summed: Array = total + opened.sum(axis=1) + stayed.sum(axis=1) - 0.5 * (off**2).sum(axis=1)
        return summed

    def _of_likes(self, mix: Array) -> Array:
        taste = mix @ self.world.group_taste.reshape(GROUPS, len(CATEGORIES), SUBTOPICS).mean(axis=2)
        total, left = np.zeros(len(mix)), np.ones(len(CATEGORIES), bool)
        for desk in self.likes:
            total += LIKES_SHARPNESS * taste[:, desk] - np.log(np.exp(LIKES_SHARPNESS * taste[:, left]).sum(axis=1))
            left[desk] = False
        return total


def expect_dwell(
    world: World, stories: Stories, reader: Readers, met: pd.DataFrame, article_ids: Array, at: datetime, seed: int
) -> Array:
    """Return the seconds this reader would spend on each article, by their log and form (`reader` is one row)."""
    log = ReaderLog(world, stories, reader, met)
    particles = as_readers(log.reader, _temper(log, np.random.default_rng(seed)))
    rows = np.asarray(article_ids) - stories.first_no
    seconds, at_us = np.empty(len(rows)), np.full(PARTICLES, to_us(at))
    topics, outlets = truth.tastes(world, particles, at_us)
    for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 1000)):
        suited = topics[:, stories.topic[rows[part]]] + outlets[:, stories.outlet[rows[part]]]
        suited = suited + fixed_fit(stories, rows[part], reader)
        chance = truth.open_chance(suited, truth.appeal(stories, rows[part], at_us[:1]))
        stays = chance * (1 - truth.bounce_chance(suited))
        seconds[part] = (stays * truth.read_seconds(suited, stories.words[rows[part]], particles.pace[:, None])).mean(0)
    return seconds


def fixed_fit(stories: Stories, rows: Array, reader: Readers) -> Array:
    """Return the part of a story's fit that depends only on the reader's region and language."""
    local: Array = truth.LOCAL_BONUS * (stories.home[rows] == reader.region[0])
    return local - truth.language_gap(stories, rows, reader.language[0])


def as_readers(reader: Readers, state: State) -> Readers:
    """Return particles as readers of the world with the reader's own region, language and ticks."""
    mix = 0.45 * state["others"] / state["others"].sum(axis=1, keepdims=True)
    mix[np.arange(len(mix)), state["main"]] += 0.55
    swing, period, phase = state["waves"].T
    own, outlets, pace = np.split(state["normal"], [OWN_FACTORS, OWN_FACTORS + OUTLET_FACTORS], axis=1)
    return replace(
        reader,
        mix=mix,
        swing=0.2 + 0.6 * swing,
        period_us=(6 + 24 * period) * DAY,
        phase=2 * np.pi * phase,
        own=own,
        outlet_taste=outlets,
        pace=np.exp(-0.03 + 0.25 * pace[:, 0]),
    )


def _draw(random: np.random.Generator) -> State:
    """Draw particles from the distribution of readers (`include/operations/demo/newsroom/readers.py`)."""
    return {
        "main": random.choice(GROUPS, PARTICLES, p=np.array(GROUP_SHARES) / sum(GROUP_SHARES)),
        "others": random.gamma(0.25, 1, (PARTICLES, GROUPS)) + 1e-30,
        "waves": random.random((PARTICLES, 3)),
        "normal": random.standard_normal((PARTICLES, OWN_FACTORS + OUTLET_FACTORS + 1)),
    }


def _temper(log: ReaderLog, random: np.random.Generator) -> State:
    state, heat, stride = _draw(random), 0.0, 0.5
    logs = log.log_chance(state)
    while heat < 1:
        rise = _next_rise(logs, 1 - heat)
        heat = min(1.0, heat + rise)
        weight = np.exp(rise * (logs - logs.max()))
        chosen = np.searchsorted(np.cumsum(weight / weight.sum()), (np.arange(PARTICLES) + random.random()) / PARTICLES)
        chosen = np.minimum(chosen, PARTICLES - 1)
        state, logs = {name: values[chosen] for name, values in state.items()}, logs[chosen]
        for _ in range(LAST_MOVES if heat == 1 else MOVES):
            for name in state:
                moved = _propose(state, name, stride, random)
                found = log.log_chance(moved)
                taken = np.log(random.random(PARTICLES)) < heat * (found - logs)
                logs = np.where(taken, found, logs)
                rows = taken.reshape(-1, *[1] * (state[name].ndim - 1))
                state = {**state, name: np.where(rows, moved[name], state[name])}
                if name == "normal":
                    stride = float(np.clip(stride * np.exp(0.6 * (taken.mean() - 0.3)), 0.03, 0.95))
    return state


def _propose(state: State, name: str, stride: float, random: np.random.Generator) -> State:
    """Return the state with one property moved so that the distribution of readers is preserved."""
    fresh = _draw(random)[name]
    if name == "normal":
        return {**state, name: np.sqrt(1 - stride**2) * state[name] + stride * fresh}
    if name == "main":
        return {**state, name: fresh}
    return {**state, name: np.where(random.random(fresh.shape) < REFRESHED_SHARE, fresh, state[name])}


def _next_rise(logs: Array, most: float) -> float:
    """Return how far the temperature may rise at once without losing too many particles."""
    low, high = 0.0, most
    if _is_kept(logs, most):
        return most
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _is_kept(logs, middle) else (low, middle)
    return max(low, 1e-6)


def _is_kept(logs: Array, rise: float) -> bool:
    weight = np.exp(rise * (logs - logs.max()))
    return bool(weight.sum() ** 2 / (weight**2).sum() >= KEPT_SHARE * len(logs))
