"""Read the figures: from the warehouse, from Airflow's database and from the state folder, whichever of them answers.

Belongs here: the queries and what they mean. Does not belong here: what a figure is called (`figures.py`) and how it is
served (`include/adapters/prometheus.py`).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from include.adapters.prometheus import Figure, Reading, Values
from include.adapters.warehouse import Connection, connect, query
from include.alerts.guides import GUIDES
from include.alerts.outbox import names_of_channels
from include.core.settings import Settings
from include.judging.holds import find_holds
from include.operations.launcher import files
from include.operations.launcher.files import say
from include.operations.metrics import figures
from include.operations.retention.items import disk_usage
from include.operations.runs import find_results
from include.operations.sentinel.signs import COMPONENTS

LOOK_BACK = timedelta(days=35)  # a weekly DAG has had several runs by then
KNOWN_FOR = timedelta(seconds=10)  # what is asked more often is answered as it was
STATE_KNOWN_FOR = timedelta(minutes=10)
CONNECT_SECONDS = 3
READ_SECONDS = 8.0  # in all; with a last statement and both connections less than Prometheus waits
MEASURE_SECONDS = 2.0  # for large folders, the next scrapes have the sizes


class Reader:
    """Reads the figures; several scrapes at once share one reading."""

    def __init__(self, load: Callable[[], Settings], now: Callable[[], datetime]) -> None:
        self.load, self.now = load, now
        self._lock = threading.Lock()
        self._read_at = self._state_at = datetime.min.replace(tzinfo=UTC)
        self._readings: list[Reading] = []
        self._state: Values = {}
        self._measuring = threading.Thread()

    def read(self) -> list[Reading]:
        """Return the figures of now, or those of a moment ago."""
        with self._lock:
            moment = self.now()
            if moment - self._read_at >= KNOWN_FOR:
                self._readings, self._read_at = list(self._read(self.load(), moment)), moment
            return self._readings

    def _read(self, settings: Settings, moment: datetime) -> Iterator[Reading]:
        deadline = monotonic() + READ_SECONDS
        yield from _read_all(figures.WAREHOUSE_UP, settings, "daybreak_run", moment, _read_warehouse, deadline)
        yield from _read_all(figures.AIRFLOW_UP, settings, "airflow", moment, _read_airflow, deadline)
        beat = settings.home / files.SENTINEL_BEAT
        yield figures.SENTINEL_ROUND, _one(beat.stat().st_mtime if beat.exists() else None)
        if moment - self._state_at >= STATE_KNOWN_FOR and not self._measuring.is_alive():
            self._state_at = moment
            self._measuring = threading.Thread(target=self._measure, args=[settings.home], daemon=True)
            self._measuring.start()
            self._measuring.join(MEASURE_SECONDS)
        yield figures.STATE_BYTES, self._state
        yield figures.STATE_FREE, _one(shutil.disk_usage(settings.home).free)

    def _measure(self, home: Path) -> None:
        self._state = _measure_folders(home)


ReadDatabase = Callable[[Settings, Connection, datetime], Iterator[Reading]]


def _read_all(
    is_up: Figure, settings: Settings, role: str, moment: datetime, read: ReadDatabase, deadline: float
) -> Iterator[Reading]:
    """Yield what a database shows, and whether it answered; a failure leaves the other figures as they are."""
    found: list[Reading] = []
    try:
        with connect(settings, role, wait_seconds=CONNECT_SECONDS) as database:
            database.execute(query("operations/metrics/bound"))
            for reading in read(settings, database, moment):
                found.append(reading)
                if monotonic() > deadline:
                    raise TimeoutError(f"{role} takes too long")
    except Exception as error:  # whatever it is, the other figures are worth having
        say(f"metrics: {error}")
        yield is_up, _one(0)
    else:
        yield is_up, _one(1)
    yield from found


def _read_warehouse(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Reading]:
    recently = {"since": moment - LOOK_BACK, "dags": [*GUIDES]}
    yield from _read_lists(warehouse, moment)
    yield from _read_champion(settings, warehouse, moment)
    yield figures.INCIDENTS, {("page",): 0, ("ticket",): 0} | _keyed(_ask(warehouse, "incidents"), 1)
    yield from _read_outbox(settings, warehouse, moment)
    results = find_results(settings, warehouse)
    for figure, column in (
        (figures.DAG_SUCCESS, "worked_at"),
        (figures.DAG_FAILURE, "failed_at"),
        (figures.DAG_SECONDS, "worked_seconds"),
    ):
        yield figure, {(row["dag"],): _number(row[column]) for row in results}
    stages = _ask(warehouse, "stages", recently)
    columns = (
        figures.STAGE_SUCCESS,
        figures.STAGE_SECONDS,
        figures.STAGE_CPU,
        figures.STAGE_MEMORY,
        figures.STAGE_ROWS,
    )
    for number, figure in enumerate(columns, 2):
        yield figure, {(row[0], row[1]): _number(row[number]) for row in stages}
    yield (
        figures.QUARANTINED,
        {
            (dag, table, publisher): float(count)
            for dag, tables in _ask(warehouse, "quarantined", recently)
            for table, publishers in tables.items()
            for publisher, count in publishers.items()
        },
    )
    drift = _ask(warehouse, "drift")
    yield figures.DRIFT_WINDOW, _one(_number(drift[0][0]) if drift else None)
    for number, figure in enumerate((figures.DRIFT_OBSERVED, figures.DRIFT_LIMIT, figures.DRIFT_MOVED), 2):
        yield figure, {(row[1],): _number(row[number]) for row in drift}
    health = _ask(warehouse, "health")[0]
    for value, figure in zip(health, (figures.SHOWN, figures.READ, figures.READ_SECONDS), strict=True):
        yield figure, _one(_number(value))

    yield from _read_usage(warehouse, recently)


def _read_usage(warehouse: Connection, recently: Mapping[str, Any]) -> Iterator[Reading]:
    for (regions,) in _ask(warehouse, "usage", recently):
        yield figures.WINDOW_READS, {(region,): found["reads"] for region, found in regions.items()}
        yield figures.LIST_READS, {(region,): found["list_reads"] for region, found in regions.items()}
        for figure, part in ((figures.USAGE_READERS, "readers"), (figures.USAGE_SECONDS, "seconds")):
            yield (
                figure,
                {
                    (region, name): found[f"{part}_{kind}"]
                    for region, found in regions.items()
                    for kind, name in (("shown", "shown"), ("others", "not shown"))
                },
            )


def _read_lists(warehouse: Connection, moment: datetime) -> Iterator[Reading]:
    for as_of, stale_after, readers, full, version in _ask(warehouse, "lists"):
        yield figures.LISTS_AGE, _one((moment - as_of).total_seconds())
        yield figures.LISTS_STALE_AFTER, _one(stale_after * 60)
        yield figures.LISTS_READERS, _one(readers)
        yield figures.LISTS_FULL, _one(full)
        yield figures.LISTS_VERSION, _one(version)


def _read_champion(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Reading]:
    for version, since, learnt_until in _ask(warehouse, "champion"):
        yield figures.CHAMPION_VERSION, _one(version)
        yield figures.CHAMPION_REIGN, _one((moment - since).total_seconds())
        yield figures.CHAMPION_AGE, _one((moment - learnt_until).total_seconds() if learnt_until else None)
    decisions = _ask(warehouse, "decisions")
    none: Values = {("promote",): 0, ("ask",): 0, ("keep",): 0}
    yield figures.VERDICTS, {**none, **_keyed(decisions, 1)}
    yield figures.VERDICT_AT, _one(max((_number(row[2]) or 0.0 for row in decisions), default=None))
    (rejections,) = warehouse.execute(query("alerts/rejections")).fetchone() or (0,)
    yield figures.REJECTIONS, _one(rejections)
    yield figures.QUESTIONS, _one(len(warehouse.execute(query("pipeline/open_questions")).fetchall()))
    holds = [hold.kind for hold in find_holds(warehouse, moment)]
    yield figures.HOLDS, {(kind,): holds.count(kind) for kind in ("freeze", "pin")}


def _read_outbox(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Reading]:
    rows = _ask(warehouse, "outbox", {"channels": names_of_channels(settings)})
    yield figures.OUTBOX, _keyed(rows, 1)
    ages = [(channel, (moment - oldest).total_seconds() if oldest else 0.0) for channel, _, oldest, _ in rows]
    yield figures.OUTBOX_AGE, _keyed(ages, 1)
    yield figures.CHANNEL_UP, _keyed(rows, 3)


def _read_airflow(settings: Settings, database: Connection, moment: datetime) -> Iterator[Reading]:
    if database.execute(query("operations/metrics/has_airflow")).fetchone() != (True,):
        return
    beats = database.execute(query("operations/sentinel/heartbeats")).fetchall()
    ages = [(COMPONENTS[job][0], (moment - at).total_seconds()) for job, at in beats if job in COMPONENTS]
    yield figures.HEARTBEAT_AGE, _keyed(ages, 1)


def _ask(warehouse: Connection, name: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return warehouse.execute(query(f"operations/metrics/{name}"), values).fetchall()


def _one(value: float | None) -> Values:
    return {(): value}


def _keyed(rows: Iterable[Sequence[Any]], column: int) -> dict[tuple[str, ...], float | None]:
    return {(row[0],): _number(row[column]) for row in rows}


def _number(value: Any) -> float | None:
    if value is None:
        return None
    return value.timestamp() if isinstance(value, datetime) else float(value)


def _measure_folders(home: Path) -> Values:
    """Return the size of each folder; a file that goes meanwhile counts for nothing."""
    found: dict[tuple[str, ...], float | None] = {}
    for folder in sorted(path for path in home.iterdir() if path.is_dir()):
        try:
            found[(folder.name,)] = disk_usage(folder)
        except OSError:
            continue
    return found
