"""Play the publisher: continue the world from where it stopped, up to a moment.

Belongs here: cutting time into chunks, and writing each chunk and the progress in one transaction, so that a kill loses
nothing and a restart repeats nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from include.adapters.warehouse import Connection, connect
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.demo.newsroom import tables
from include.operations.demo.newsroom.events import MEMORY_STEPS, Events, Lists, Memory, join, react
from include.operations.demo.newsroom.front_page import make_pages
from include.operations.demo.newsroom.readers import DAY, HOUR
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.tables import State, create
from include.operations.demo.newsroom.visits import STEP_US, Visits, expected_visits, make_visits
from include.operations.demo.newsroom.world import Parameters, World, to_moment, to_us

DEFAULT_READERS = 3000
DEFAULT_ARTICLES_PER_DAY = 1430
DEFAULT_SEED = 7
VISITS_PER_CHUNK = 12_000  # about 130,000 events, which take some 100 MB while a chunk is made
WINDOW_HOURS = 96  # age of stories that readers still react to; lists may hold some that left the front page long ago
SECONDS_BETWEEN_LINES = 2.0

Say = Callable[[str], None]
Array = NDArray[Any]


def play(
    settings: Settings,
    *,
    until: datetime,
    days: int = 14,
    readers: int | None = None,
    articles_per_day: int | None = None,
    seed: int | None = None,
    say: Say | None = None,
) -> dict[str, Any]:
    """Play up to `until`; return the counts of readers, articles and events so far, and `played_until`.

    The first call creates the world and starts it `days` before `until` (by default 3,000 readers, 1,430 articles a day
    and seed 7); later calls continue where it stopped, ignore `days`, and refuse another size or seed. While the views
    of `source` show another log, nothing is played, because its lists hold articles that the newsroom does not know.
    Moments are rounded down to whole steps of ten minutes. A log row is written when it is received, so all rows are
    from before `played_until`.
    """
    say = say or _print_progress
    until_us = to_us(until.astimezone(UTC)) // STEP_US * STEP_US
    with tables.open_newsroom(settings) as newsroom:
        if not tables.exists(newsroom):
            create(settings)
        state = tables.load_state(newsroom)
        if state is None:
            parameters = Parameters(
                seed=DEFAULT_SEED if seed is None else seed,
                readers=DEFAULT_READERS if readers is None else readers,
                articles_per_day=DEFAULT_ARTICLES_PER_DAY if articles_per_day is None else articles_per_day,
                started_us=until_us - days * DAY,
            )
            _check_size(parameters, days)
            state = State(parameters, parameters.started_us)
        _refuse_another_world(state.parameters, readers=readers, articles_per_day=articles_per_day, seed=seed)
        if not tables.is_shown(newsroom):
            say("The views in source show another log, so the demo newsroom is not played.")
        elif until_us > state.played_until_us:
            _Player(settings, newsroom, state, say).go(until_us)
        return {
            "readers": state.customers_count,
            "articles": state.stories_count,
            "events": state.hits_count,
            "played_until": to_moment(state.played_until_us),
        }


@dataclass(frozen=True)
class Chunk:
    """A time span: the stories that readers can react to, visits, the lists shown, and all rows for the log."""

    stories: Stories
    visits: Visits
    lists: Lists | None
    with_list: Array
    events: Events


def make_chunk(
    world: World, begin_us: int, end_us: int, memory: Memory, find_lists: Callable[[Array], Lists | None]
) -> Chunk:
    """Return a span of whole steps without writing it; `find_lists` returns the live lists of visiting readers."""
    stories = world.stories(begin_us // HOUR - WINDOW_HOURS, -(-end_us // HOUR))
    visits = make_visits(world, begin_us, end_us)
    lists = find_lists(visits.reader) if len(visits) else None
    pages = make_pages(world, stories, begin_us, end_us)
    events, with_list = react(world, visits, stories, pages, lists, memory)
    return Chunk(stories, visits, lists, with_list, events)


def load_world(settings: Settings) -> World:
    """Return the world that is being played, with its scenarios, as `expected_dwell` needs it."""
    with connect(settings, "newsroom") as newsroom:
        state = tables.load_state(newsroom) if tables.exists(newsroom) else None
        if state is None:
            raise DaybreakError(
                "The demo newsroom has not been played yet.", hint="run `bin/daybreak newsroom play` first."
            )
        return World(state.parameters, tables.load_scenarios(newsroom))


def _check_size(parameters: Parameters, days: int) -> None:
    if parameters.readers < 1 or parameters.articles_per_day < 24 or days < 1 or parameters.seed < 0:
        raise DaybreakError(
            f"A demo newsroom of {parameters.readers} readers, {parameters.articles_per_day} articles a day,"
            f" {days} days and seed {parameters.seed} cannot be played.",
            hint="give at least 1 reader, 24 articles a day, 1 day, and a seed of 0 or more.",
        )


def _refuse_another_world(parameters: Parameters, **given: int | None) -> None:
    for name, value in given.items():
        known = getattr(parameters, name)
        if value is not None and value != known:
            raise DaybreakError(
                f"The demo newsroom is being played with {name} {known}, not {value}.",
                hint=f"leave out {name} to continue it, or start again in a new database.",
            )


class _Player:
    """The state of one call of `play`, from chunk to chunk."""

    def __init__(self, settings: Settings, newsroom: Connection, state: State, say: Say) -> None:
        self.settings, self.newsroom, self.state, self.say = settings, newsroom, state, say
        self.world = World(state.parameters, tables.load_scenarios(newsroom))
        self.list_refs: list[str] = []
        self.in_flight: Events = tables.load_in_flight(newsroom, self.list_refs)
        self.memory: Memory = tables.load_memory(newsroom, state.played_until_us - (MEMORY_STEPS + 1) * STEP_US)

    def go(self, until_us: int) -> None:
        begun_us, begun_hits = self.state.played_until_us, self.state.hits_count
        begun, told = time.perf_counter(), 0.0
        with ExitStack() as stack:
            daybreak = _connect_to_lists(self.settings, stack)
            while self.state.played_until_us < until_us:
                end_us = self._end_of_chunk(until_us)
                self._play_chunk(end_us, daybreak)
                seconds = time.perf_counter() - begun
                if seconds - told > SECONDS_BETWEEN_LINES or end_us == until_us:
                    told, events = seconds, self.state.hits_count - begun_hits
                    share = (end_us - begun_us) / (until_us - begun_us)
                    self.say(f"newsroom {share:4.0%}  {events:,} events  {events / seconds:,.0f}/s")

    def _end_of_chunk(self, until_us: int) -> int:
        begin = self.state.played_until_us
        steps = max(1, int(VISITS_PER_CHUNK / max(1e-9, expected_visits(self.world, begin, begin + STEP_US))))
        return min(until_us, begin + min(steps * STEP_US, DAY))

    def _play_chunk(self, end_us: int, daybreak: Connection | None) -> None:
        begin_us, world, state = self.state.played_until_us, self.world, self.state
        chunk = make_chunk(world, begin_us, end_us, self.memory, partial(self._find_lists, daybreak))
        stories, visits, lists = chunk.stories, chunk.visits, chunk.lists
        made = join([self.in_flight, chunk.events])
        received = int(np.searchsorted(made.logged_us, end_us))

        with self.newsroom.transaction():
            customers = world.count_readers(end_us)
            tables.add_customers(self.newsroom, world.readers(customers), state.customers_count + 1, customers)
            first = begin_us if state.customers_count else 0
            new = np.flatnonzero((stories.received_us >= first) & (stories.received_us < end_us))
            tables.add_stories(self.newsroom, world, stories, new)
            late = stories.revised_us > stories.received_us
            revised = np.flatnonzero(late & (stories.revised_us >= first) & (stories.revised_us < end_us))
            tables.revise_stories(self.newsroom, stories, revised)
            tables.add_events(self.newsroom, made.pick(np.arange(received)), state.hits_count + 1, self.list_refs)
            self.in_flight = made.pick(np.arange(received, len(made)))
            tables.replace_in_flight(self.newsroom, self.in_flight, self.list_refs)
            state.customers_count, state.stories_count = customers, state.stories_count + len(new)
            state.hits_count += received
            state.played_until_us = end_us
            tables.save_state(self.newsroom, state)
        # Another role's table needs another transaction; it follows the events, so a kill between loses only log rows.
        if daybreak and lists and chunk.with_list.any():
            readers, at_us = visits.reader[chunk.with_list], visits.at_us[chunk.with_list]
            tables.log_served(daybreak, readers, at_us, self.list_refs[lists.code])

    def _find_lists(self, daybreak: Connection | None, readers: Array) -> Lists | None:
        return tables.load_lists(daybreak, readers, self.list_refs) if daybreak else None


def _connect_to_lists(settings: Settings, stack: ExitStack) -> Connection | None:
    """Return a connection as Daybreak's reading role; None while no lists are live."""
    connection: AbstractContextManager[Connection] = connect(settings, "daybreak_api", autocommit=True)
    daybreak = stack.enter_context(connection)
    try:
        live = daybreak.execute("select 1 from recs.current limit 1").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None  # Daybreak is not set up on this database yet
    return daybreak if live else None


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
