"""Read and write the demo newsroom's tables: its state, and its rows as fast as PostgreSQL accepts them.

Belongs here: every statement on schema `newsroom`, and the publisher's two statements on Daybreak's side (read the live
lists, log that they were shown). Does not belong here: deciding the content of rows.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from include.adapters.warehouse import Connection, connect
from include.core.contract import MOMENT
from include.core.errors import DaybreakError
from include.core.locks import LockKey
from include.core.settings import Settings
from include.operations.demo.newsroom import headlines
from include.operations.demo.newsroom import readers as people
from include.operations.demo.newsroom.events import ACTIONS, DTYPES, PLACES, Events, Lists, Memory
from include.operations.demo.newsroom.readers import Readers
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.visits import LIST_SLOTS, VISITS_PER_STEP
from include.operations.demo.newsroom.words import LANGUAGES, REGIONS
from include.operations.demo.newsroom.world import Parameters, Scenario, World, to_moment, to_us

Array = NDArray[Any]

HERE = Path(__file__).parent
CUSTOMERS: LiteralString = "copy newsroom.customers from stdin (format csv)"
STORIES: LiteralString = "copy newsroom.stories from stdin (format csv)"
TRACKING: LiteralString = "copy newsroom.tracking from stdin (format csv)"
IN_FLIGHT: LiteralString = "copy newsroom.in_flight from stdin (format csv)"


@dataclass
class State:
    """The world's parameters, the moment played so far, and the numbers of rows written."""

    parameters: Parameters
    played_until_us: int
    customers_count: int = 0
    stories_count: int = 0
    hits_count: int = 0


def create(settings: Settings) -> None:
    """Create missing tables of the newsroom, and the views of `source` unless they show another log."""
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute((HERE / "schema.sql").read_text())
        if is_shown(newsroom):
            newsroom.execute((HERE / "views.sql").read_text())


def show(settings: Settings) -> None:
    """Point the views of schema `source` at the newsroom's tables again."""
    with connect(settings, "newsroom") as newsroom:
        if not exists(newsroom):
            raise DaybreakError("There is no demo newsroom yet.", hint="run `bin/daybreak newsroom play` first.")
        newsroom.execute((HERE / "views.sql").read_text())


def is_shown(newsroom: Connection) -> bool:
    """Return whether the views show the newsroom's tables or do not exist yet."""
    row = newsroom.execute(
        "select coalesce(bool_and(t.relnamespace = 'newsroom'::regnamespace), true)"
        " from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid"
        " join pg_class t on d.refclassid = 'pg_class'::regclass and t.oid = d.refobjid and t.oid <> r.ev_class"
        " where r.ev_class = to_regclass('source.reading_events')"
    ).fetchone()
    return bool(row and row[0])


def exists(newsroom: Connection) -> bool:
    """Return whether `create` has been called on this database."""
    row = newsroom.execute("select to_regclass('newsroom.scenarios') is not null").fetchone()
    return bool(row and row[0])


class Busy(DaybreakError):
    """Another process plays the demo newsroom, or rehearses on it."""


@contextmanager
def open_newsroom(settings: Settings) -> Iterator[Connection]:
    """Open the only connection that may play; raise `Busy` while another one is open."""
    with connect(settings, "newsroom", autocommit=True) as newsroom:
        take(newsroom)
        yield newsroom


def take(newsroom: Connection, patience_seconds: float = 0) -> None:
    """Make this the only connection that may play, until it is closed; raise `Busy` if another one does not end."""
    end = time.monotonic() + patience_seconds
    while True:
        row = newsroom.execute("select pg_try_advisory_lock(%s)", [LockKey.NEWSROOM]).fetchone()
        if row and row[0]:
            return
        if time.monotonic() >= end:
            raise Busy(
                "Another process is playing the demo newsroom, or rehearsing on it.",
                hint="wait until it is done, or stop it.",
            )
        time.sleep(0.5)


def give_back(newsroom: Connection) -> None:
    """Let another connection play again."""
    newsroom.execute("select pg_advisory_unlock(%s)", [LockKey.NEWSROOM])


def load_state(newsroom: Connection) -> State | None:
    """Return the state; None before the first play."""
    row = newsroom.execute(
        "select seed, parameters, played_until, customers_count, stories_count, hits_count from newsroom.state"
    ).fetchone()
    if row is None:
        return None
    return State(Parameters(seed=row[0], **row[1]), to_us(row[2]), *row[3:])


def save_state(newsroom: Connection, state: State) -> None:
    """Save the state in the transaction that writes the rows it counts."""
    parameters = asdict(state.parameters)
    newsroom.execute(
        "insert into newsroom.state (seed, parameters, played_until, customers_count, stories_count, hits_count)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (only_row) do update set played_until = excluded.played_until,"
        " customers_count = excluded.customers_count, stories_count = excluded.stories_count,"
        " hits_count = excluded.hits_count",
        [
            parameters.pop("seed"), Jsonb(parameters), to_moment(state.played_until_us),
            state.customers_count, state.stories_count, state.hits_count,
        ],
    )  # fmt: skip


def load_scenarios(newsroom: Connection) -> list[Scenario]:
    """Return all scenarios, oldest first."""
    rows = newsroom.execute("select name, starts, parameters from newsroom.scenarios order by scenario_no")
    return [Scenario(name, to_us(starts), parameters) for name, starts, parameters in rows]


def save_scenario(newsroom: Connection, scenario: Scenario) -> None:
    """Save a scenario."""
    newsroom.execute(
        "insert into newsroom.scenarios (name, starts, parameters) values (%s, %s, %s)",
        [scenario.name, to_moment(scenario.starts_us), Jsonb(scenario.parameters)],
    )


def add_customers(newsroom: Connection, readers: Readers, first: int, last: int) -> None:
    """Write the customers numbered `first` to `last`."""
    for begin in range(first, last + 1, 50_000):
        number = np.arange(begin, min(begin + 50_000, last + 1))
        part = readers.pick(number - 1)
        likes = ["{" + ",".join(names) + "}" for names in people.like_names(part)]
        territory = [REGIONS[code] for code in part.region]
        columns = [number, territory, people.plan_names(part), _times(part.signed_up_us), likes]
        _copy(newsroom, CUSTOMERS, columns)


def add_stories(newsroom: Connection, world: World, stories: Stories, rows: Array) -> None:
    """Write these stories as first received: not corrected, not disputed."""
    for begin in range(0, len(rows), 20_000):
        part = rows[begin : begin + 20_000]
        headline, teaser = headlines.compose(world, stories, part)
        columns = [
            stories.first_no + part,
            headline,
            teaser,
            headlines.desk_names(stories.topic[part]),
            [headlines.outlet_name(int(code)) for code in stories.outlet[part]],
            [LANGUAGES[code] for code in stories.language[part]],
            stories.words[part],
            _times(stories.published_us[part]),
            _times(stories.received_us[part]),
            _times(stories.received_us[part]),
            pa.array(np.zeros(len(part), bool)),
        ]
        _copy(newsroom, STORIES, columns)


def revise_stories(newsroom: Connection, stories: Stories, rows: Array) -> None:
    """Mark these stories as corrected or, if they turned out to be misinformation, as disputed."""
    newsroom.execute(
        "update newsroom.stories s set revised = change.revised, disputed = change.disputed"
        " from unnest(%s::bigint[], %s::timestamptz[], %s::boolean[]) as change (story_no, revised, disputed)"
        " where s.story_no = change.story_no",
        [
            (stories.first_no + rows).tolist(),
            [to_moment(us) for us in stories.revised_us[rows].tolist()],
            stories.disputed[rows].tolist(),
        ],
    )


def add_events(newsroom: Connection, events: Events, first_no: int, list_refs: Sequence[str]) -> None:
    """Write rows of the log, numbered from `first_no` on."""
    for begin in range(0, len(events), 100_000):
        part = events.pick(np.arange(begin, min(begin + 100_000, len(events))))
        number = np.arange(first_no + begin, first_no + begin + len(part))
        _copy(newsroom, TRACKING, [number, *_event_columns(part, list_refs)])


def replace_in_flight(newsroom: Connection, events: Events, list_refs: Sequence[str]) -> None:
    """Replace the hits of visits that have begun which the log has not received yet."""
    newsroom.execute("delete from newsroom.in_flight")
    _copy(newsroom, IN_FLIGHT, _event_columns(events, list_refs))


def load_in_flight(newsroom: Connection, list_refs: list[str]) -> Events:
    """Return the hits in flight; append new list references to `list_refs`."""
    rows = newsroom.execute("select * from newsroom.in_flight").fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * len(DTYPES)
    readers, stories, actions, happened, logged, seconds, slots, places, refs, visits = columns
    list_refs.extend(sorted({ref for ref in refs if ref} - set(list_refs)))
    values = (
        readers,
        stories,
        [ACTIONS.index(action) for action in actions],
        [to_us(moment) for moment in happened],
        [to_us(moment) for moment in logged],
        [np.nan if value is None else value for value in seconds],
        [slot or 0 for slot in slots],
        [PLACES.index(place) for place in places],
        [list_refs.index(ref) if ref else -1 for ref in refs],
        visits,
    )
    return Events(*(np.array(value, dtype) for value, dtype in zip(values, DTYPES, strict=True)))


def load_memory(newsroom: Connection, since_us: int) -> Memory:
    """Return the memory of stories opened since a moment, so that no reader opens one again."""
    rows = newsroom.execute(
        "select customer_no, story_no, visit_no from newsroom.tracking where action = 'opened' and happened >= %s"
        " and customer_no is not null and story_no is not null and visit_no is not null"
        " union all select customer_no, story_no, visit_no from newsroom.in_flight where action = 'opened'",
        [to_moment(since_us)],
    ).fetchall()
    opened = np.array(rows, np.int64).reshape(-1, 3)
    return Memory(opened[:, 0], opened[:, 1], opened[:, 2] // VISITS_PER_STEP)


def load_lists(daybreak: Connection, readers: Array, list_refs: list[str]) -> Lists | None:
    """Return the live lists of these readers, or None without any."""
    rows = daybreak.execute(
        "select reader_id, rank, article_id, batch_id, generated_at from recs.current"
        " where reader_id = any(%s) and rank <= %s",
        [np.unique(readers).tolist(), LIST_SLOTS],
    ).fetchall()
    if not rows:
        return None
    batch_id, since = rows[0][3], rows[0][4]
    if batch_id not in list_refs:
        list_refs.append(batch_id)
    number = np.array([row[:3] for row in rows], np.int64)
    owners, place = np.unique(number[:, 0], return_inverse=True)
    articles = np.zeros((len(owners), LIST_SLOTS), np.int64)
    articles[place, number[:, 1] - 1] = number[:, 2]
    return Lists(owners, articles, list_refs.index(batch_id), to_us(since))


def log_served(daybreak: Connection, readers: Array, at_us: Array, batch_id: str) -> None:
    """Log a row for each list shown to a reader."""
    refs = pa.array([batch_id]).take(pa.array(np.zeros(len(readers), np.int64)))
    _copy(daybreak, "copy recs.served (served_at, reader_id, batch_id) from stdin (format csv)",
          [_times(at_us), readers, refs])  # fmt: skip


def _event_columns(events: Events, list_refs: Sequence[str]) -> list[Any]:
    refs = pa.array(list(list_refs), pa.string())
    return [
        events.reader,
        events.story,
        pa.array(ACTIONS).take(pa.array(events.action)),
        _times(events.happened_us),
        _times(events.logged_us),
        pa.array(events.seconds, mask=np.isnan(events.seconds)),
        pa.array(events.slot, mask=events.slot == 0),
        pa.array(PLACES).take(pa.array(events.place)),
        refs.take(pa.array(events.list_code, mask=events.list_code < 0)),
        events.visit,
    ]


def _times(us: Array) -> Any:
    return pa.array(us).cast(MOMENT)


def _copy(connection: Connection, statement: LiteralString, columns: Sequence[Any]) -> None:
    # Arrow writes CSV several times faster than row-wise COPY; nulls become empty unquoted fields.
    table = pa.table({str(place): pa.array(column) if not isinstance(column, pa.Array) else column
                      for place, column in enumerate(columns)})  # fmt: skip
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(include_header=False))
    with connection.cursor() as cursor, cursor.copy(statement) as sink:
        sink.write(buffer.getbuffer())
