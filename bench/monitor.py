"""Watch quiet and loud worlds as `monitor` does, without Airflow and databases, and tell what is called and asked for.

It measures no time and is not in the catalogue: `make bench ONLY=monitor` prints its own lines. See `docs/bench.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from bench.installation import Say
from bench.played import play_tables
from bench.sizes import Sizes
from include.adapters import duck
from include.core.settings import Settings
from include.monitoring.measures import DAY, Training, cut_training, cut_window, find_habits, measure_spans
from include.monitoring.sentences import tell
from include.monitoring.trigger import Answer, Request, answer
from include.monitoring.usual import Finding, judge
from include.operations.demo.newsroom.world import Parameters, Scenario, World, to_us

HOUR = timedelta(hours=1)
READERS, ARTICLES_PER_DAY = 3_000, 1_430
STARTED = datetime(2026, 10, 5, 3, tzinfo=UTC)
TRAINED_DAYS, WATCHED_DAYS, LOUD_AFTER_DAYS = 14, 30, 7
VERDICT_AFTER = 3 * HOUR  # every challenger is kept out, which is the worst case for a loop

Tables = Mapping[str, pa.Table]

# What changes in a loud world, and in which table; `$since` is the moment from which on it does.
LOUD = {
    "a publisher goes dark": (
        "articles",
        "select * from articles where not (publisher = $publisher and published_at >= $since)",
    ),
    "a tenfold publisher": (
        "articles",
        """
        select * from articles
        union all by name
        select a.* replace (a.article_id + 100000000 * copies.range as article_id)
        from articles a, range(1, 10) copies
        where a.publisher = $publisher and a.published_at >= $since
        """,
    ),
    "a fifth turns to sport in ten days": (
        "articles",
        """
        select * replace (case when published_at >= $since and hash(article_id) % 1000
                                    < 20 * least(10, date_diff('hour', $since, published_at) / 24.0)
                               then 'sport' else category end as category)
        from articles
        """,
    ),
    "dwell in milliseconds": (
        "reading_events",
        """
        select * replace (case when occurred_at >= $since then 1000 else 1 end * dwell_seconds as dwell_seconds)
        from reading_events
        """,
    ),
    "an election night": (
        "reading_events",
        """
        select e.* from reading_events e join articles a using (article_id), range(0, 9) copies
        where copies.range = 0 or (
            a.category = 'politics' and e.kind = 'read'
            and e.occurred_at >= $since + interval 16 hours and e.occurred_at < $since + interval 26 hours)
        """,
    ),
}


@dataclass(frozen=True)
class Watched:
    """A window: the rows in it, what moved, and what followed."""

    end: datetime
    reads: int
    findings: tuple[Finding, ...]
    answer: Answer

    @property
    def moved(self) -> list[Finding]:
        """Return the columns that moved."""
        return [one for one in self.findings if one.moved]


def play(seed: int, readers: int, articles_per_day: int, days: int, turn_after_days: int | None = None) -> Tables:
    """Return the tables of a world; its readers' tastes turn after some days, if they do."""
    turns = [] if turn_after_days is None else [turn_after_days]
    scenarios = [Scenario("drift", to_us(STARTED + day * DAY), {"share": 0.7, "groups": 4}) for day in turns]
    return play_tables(
        World(Parameters(seed, readers, articles_per_day, to_us(STARTED)), scenarios), STARTED + days * DAY
    )


def make_loud(tables: Tables, name: str, since: datetime) -> Tables:
    """Return a world's tables with a change from a moment on."""
    changed, statement = LOUD[name]
    with duck.connect() as connection:
        for table, rows in tables.items():
            connection.register(table, rows)
        commonest = "select publisher from articles group by publisher order by count(*) desc, publisher limit 1"
        (publisher,) = connection.sql(commonest).fetchall()[0]
        parameters = {"since": since, "publisher": publisher}
        return {**tables, changed: duck.fetch(connection, statement, parameters).cast(tables[changed].schema)}


def watch(settings: Settings, tables: Tables, days: int, step: timedelta) -> Iterator[Watched]:
    """Yield a window after each step of the days after the training."""
    training = Training(STARTED, STARTED + TRAINED_DAYS * DAY)
    ends = [training.until + number * step for number in range(1, days * DAY // step + 1)]
    length = timedelta(hours=settings.monitor_window_hours)
    with duck.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        habits = find_habits(settings, connection, "read", training)
        spans = [cut_window(training, end - length, end) for end in ends]
        windows = measure_spans(settings, connection, "read", spans, habits)
        usual = {
            end.timetz(): measure_spans(settings, connection, "read", cut_training(settings, training, end), habits)
            for end in ends[: max(1, DAY // step)]
        }
    lately: list[set[str]] = []
    requests: list[Request] = []
    for end, window in zip(ends, windows, strict=True):
        findings = judge(settings, window, usual[end.timetz()])
        lately = [{one.column for one in findings if one.moved}, *lately][: settings.drift_windows]
        moved_windows = Counter(column for moved in lately for column in moved)
        judged = [
            Request(one.window_end, one.columns, "keep", 2) if one.window_end + VERDICT_AFTER <= end else one
            for one in requests
        ]
        found = answer(settings, end, findings, {}, moved_windows, judged, None)
        if found.reason:
            requests.insert(0, Request(end, found.columns))
        reads = max((one.rows for one in findings if one.column.startswith("reads.")), default=0)
        yield Watched(end, reads, tuple(findings), found)


def compare(settings: Settings, say: Say, sizes: Sizes) -> str:
    """Return a line for every window that is called, and one for every world."""
    step, days = DAY / sizes.monitor_windows_per_day, TRAINED_DAYS + WATCHED_DAYS
    loud_at = STARTED + (TRAINED_DAYS + LOUD_AFTER_DAYS) * DAY
    lines = []
    for seed in range(7, 7 + sizes.monitor_seeds):
        say(f"monitor: world {seed}")
        quiet = play(seed, READERS, ARTICLES_PER_DAY, days)
        worlds = {"quiet": quiet, **{name: make_loud(quiet, name, loud_at) for name in LOUD}}
        worlds["tastes turn"] = play(seed, READERS, ARTICLES_PER_DAY, days, TRAINED_DAYS + LOUD_AFTER_DAYS)
        for name, tables in worlds.items():
            say(f"monitor: {name}")
            watched = list(watch(settings, tables, WATCHED_DAYS, step))
            called = [window for window in watched if window.moved]
            asked = sum(bool(window.answer.reason) for window in watched)
            nearest = max(one.places[0].reach for window in watched for one in window.findings if one.places)
            lines.append(
                f"seed {seed}, {name}: {len(called)} of {len(watched)} windows called, {asked} retrains asked for; "
                f"nearest to a limit {nearest:.2f}"
            )
            first = [window for window in called if name == "quiet"] or called[:1]
            lines += [
                f"  {window.end:%Y-%m-%d %H:%M}  {window.reads:,} reads  {'; '.join(map(tell, window.moved))}"
                for window in first
            ]
    return "\n".join(lines)
