"""The facts that the pages show: those of `bin/daybreak status`, and what is asked for the pages alone.

Every statement is bounded and goes by a key, so a page costs the same for a thousand readers and for half a million;
what concerns all lists is read from their file, once per batch.
"""

from __future__ import annotations

import shutil
import stat
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from psycopg.rows import dict_row

from include.adapters import duck
from include.adapters.warehouse import Connection, connect, query
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.judging.champion import find_fallbacks
from include.lists.takedowns import Takedown, find_takedowns
from include.operations import status
from include.operations.runs import find_run, find_runs
from include.operations.versions import find_reigns, find_versions

Row = dict[str, Any]
WEEKS = timedelta(weeks=4)
LATEST_RETRAININGS = 20
LATEST_RUNS = 100
# stage -> where the page lies that it leaves even if it fails: named after what this earlier stage made
LEFT_BY_FAILED = {"validate": ("extract", "validation/{}/index.html"), "audit": ("write_batch", "lists/{}.html")}
DRIFT_WINDOWS = 24
STATE_KNOWN_FOR = timedelta(minutes=30)


@dataclass(frozen=True)
class Facts:
    """What the status page tells; `status` is what the command line tells, the rest is empty if a database is down."""

    moment: datetime
    status: Mapping[str, Any]
    night: Row | None = None
    realised: Sequence[Row] = ()
    reigns: Sequence[Row] = ()
    fallbacks: Sequence[int] = ()
    candidate: Row | None = None
    drift: Sequence[Row] = ()
    quarantined: Sequence[Row] = ()
    filled_share: float | None = None
    state: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReaderFacts:
    """A reader's live list, the list of a day before if it is kept, and what the lists' features know of them."""

    name: str
    listed: Sequence[Row]
    live: Row
    earlier_at: datetime | None
    earlier: Sequence[Row]
    reads: Sequence[Row]


@dataclass(frozen=True)
class ArticleFacts:
    """An article and the readers of the live lists who have it, by place and reason."""

    article: Row
    live: Row
    places: Sequence[Row]
    takedown: Takedown | None = None


@dataclass(frozen=True)
class RunFacts:
    """A run with its stages, and its checks by stage."""

    run: Row
    checks: Mapping[str, Row]


def find_facts(settings: Settings, moment: datetime) -> Facts:
    """Return what the status page tells."""
    told = status.gather(settings, {})
    if told.get("trouble"):
        return Facts(moment, told)
    since = {"since": moment - WEEKS}
    with connect(settings) as warehouse:
        health = {**since, "window_hours": settings.monitor_window_hours}
        realised = ask(warehouse, "realised_lately", health)
        drift = ask(warehouse, "drift_lately", {**since, "limit": DRIFT_WINDOWS})
        newest = told["quarantined"][0]["snapshot_id"] if told["quarantined"] else None
        quarantined = ask(warehouse, "quarantined_by_publisher", {"snapshot_id": newest}) if newest else []
        (in_database,) = warehouse.execute("select pg_database_size(current_database())").fetchone() or (0,)
        files = ask(warehouse, "live_files", {})
        fallbacks = find_fallbacks(warehouse)
    champion = told["champion"]
    versions = find_versions(settings)
    newer = [row for row in versions if champion is None or row["version"] > champion["version"]]
    return Facts(
        moment,
        told,
        _find_night(settings, moment),
        realised,
        find_reigns(settings),
        fallbacks,
        newer[0] if newer else None,
        drift,
        _name_publishers(settings, quarantined),
        _measure_filled(files[0]["lists"]) if files else None,
        {
            "warehouse": in_database,
            "files": _measure_files(settings.home, int(moment.timestamp() // STATE_KNOWN_FOR.total_seconds())),
            "free": shutil.disk_usage(settings.home).free,
        },
    )


def _find_night(settings: Settings, moment: datetime) -> Row | None:
    """Return the newest nightly retraining, else the newest that a person or an event started."""
    latest = find_runs(settings, moment, "retrain", limit=LATEST_RETRAININGS)
    nightly = (run for run in latest if run["run_id"].startswith("retrain/scheduled__"))
    return next(nightly, latest[0] if latest else None)


def find_champions(settings: Settings) -> tuple[list[Row], list[Row]]:
    """Return the reigns and the versions, newest first, each with the page on its verdict if it is kept."""
    return with_pages(settings, find_reigns(settings)), with_pages(settings, find_versions(settings))


def find_reader(settings: Settings, reader: str) -> ReaderFacts:
    """Return the facts on a reader; raise `DaybreakError` if they have no list."""
    listed = status.one_reader(settings, reader)
    if not listed:
        raise DaybreakError(f"Reader {reader} has no list.", hint="the status page says whether lists are live.")
    reader_id = status.find_reader(settings, reader)
    with connect(settings) as warehouse:
        live = ask(warehouse, "lists", {})[0]
        before = ask(warehouse, "earlier_lists", {})
        asked = {"batch_id": before[0]["batch_id"], "reader_id": reader_id} if before else {}
        earlier = ask(warehouse, "list_of_batch", asked) if before else []
        files = ask(warehouse, "live_files", {})
    reads = _read_lately(Path(files[0]["features"]), reader_id) if files else []
    return ReaderFacts(
        reader,
        listed,
        live,
        before[0]["as_of"] if before else None,
        _name_articles(settings, earlier),
        _name_articles(settings, reads),
    )


def find_article(settings: Settings, article: str) -> ArticleFacts:
    """Return the facts on an article; raise `DaybreakError` if no lists are live or their file is gone."""
    article_id = status.find_article(settings, article)
    told = status.describe_articles(settings, [article_id])[article_id]
    with connect(settings) as warehouse:
        live = ask(warehouse, "lists", {})
        files = ask(warehouse, "live_files", {})
        takedown = next((one for one in find_takedowns(warehouse) if one.article_id == article_id), None)
    lists = _lists_file(files[0]["lists"]) if files else None
    if not live or lists is None or not lists.exists():
        raise DaybreakError("The live lists have no file to look into.", hint="run `recommend`; it makes the file.")
    listed = [] if takedown else _ask_file("listed", {"lists": str(lists), "article_id": article_id})
    return ArticleFacts(told, live[0], listed, takedown)


def find_run_facts(settings: Settings, moment: datetime, dag_id: str, run_id: str) -> RunFacts:
    """Return the facts on a run; raise `DaybreakError` if there is none."""
    run = find_run(settings, moment, dag_id, run_id)
    if run is None:
        raise DaybreakError(f"There is no run {dag_id}/{run_id}.", hint="`bin/daybreak runs` lists the latest ones.")
    with connect(settings) as warehouse:
        checks = ask(warehouse, "run_checks", {"run_id": run["run_id"]})
    _add_pages(settings, run["stages"])
    return RunFacts(run, {row["stage"]: row for row in checks})


def find_reports(settings: Settings, moment: datetime, name: str | None) -> list[Row]:
    """Return the latest runs that left pages, newest first, with these `pages`: of a DAG or command, or of all."""
    runs = find_runs(settings, moment, name, LATEST_RUNS)
    asked = {"run_ids": [run["run_id"] for run in runs], "name": None, "limit": 0}
    stages: dict[str, list[Row]] = defaultdict(list)
    with connect(settings) as warehouse:
        for row in ask(warehouse, "stages", asked):
            stages[row["run_id"]].append(row)
    for run in runs:
        _add_pages(settings, stages[run["run_id"]])
        run["pages"] = list(dict.fromkeys(page for stage in stages[run["run_id"]] for page in stage["pages"]))
    return [run for run in runs if run["pages"]]


def _add_pages(settings: Settings, stages: Sequence[Row]) -> None:
    """Add to each stage of a run the pages that it left and that are still there, below the reports."""
    reports = settings.home / "reports"
    made = {stage["stage"]: stage["id"] for stage in stages}
    for stage in stages:
        named = [stage["facts"].get(name) for name in ("report", "card")]
        before, page = LEFT_BY_FAILED.get(stage["stage"], ("", ""))
        if stage["status"] == "failed" and made.get(before):
            named.append(page.format(made[before]))
        files = [reports / name for name in named if name]  # a backtest names its page by the whole path
        stage["pages"] = [
            file.relative_to(reports).as_posix() for file in files if file.is_relative_to(reports) and file.exists()
        ]


def ask(warehouse: Connection, name: str, values: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a statement of this room."""
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(f"operations/{name}"), values).fetchall()


def _ask_file(name: str, values: Mapping[str, Any]) -> list[Row]:
    with duck.connect() as connection:
        return cast(list[Row], duck.fetch(connection, duck.query(f"operations/{name}"), values).to_pylist())


def _lists_file(folder: str) -> Path:
    return Path(folder) / "lists.parquet"


@lru_cache(maxsize=8)
def _measure_filled(folder: str) -> float | None:
    """Return the share of places that the model did not rank; a batch never changes. None without its file."""
    lists = _lists_file(folder)
    return float(_ask_file("filled_share", {"lists": str(lists)})[0]["filled_share"]) if lists.exists() else None


@lru_cache(maxsize=1)
def _measure_files(home: Path, when: int) -> int:
    """Return the bytes of the state folder's files; `when` counts the spans of time in which one answer is enough."""
    return sum(map(_size, home.rglob("*")))


def _size(path: Path) -> int:
    """Return a file's bytes, its share if builds link the same file; a run may remove it meanwhile."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size // found.st_nlink if stat.S_ISREG(found.st_mode) else 0


def _read_lately(features: Path, reader_id: int) -> list[Row]:
    reads = features / "reads"
    return _ask_file("read_lately", {"reads": f"{reads}/*.parquet", "reader_id": reader_id}) if reads.exists() else []


def _name_articles(settings: Settings, rows: Sequence[Row]) -> list[Row]:
    told = status.describe_articles(settings, [row["article_id"] for row in rows]) if rows else {}
    return [{**row, **told[row["article_id"]]} for row in rows]


def _name_publishers(settings: Settings, rows: Sequence[Row]) -> list[Row]:
    """Return the quarantined rows with a publisher, for reading events that of their article."""
    ids = [row["article_id"] for row in rows if row["article_id"] is not None]
    try:
        told = status.describe_articles(settings, ids) if ids else {}
    except DaybreakError:  # the publisher's database is away; the page is about more than that
        told = {}
    return [{**row, "publisher": row["publisher"] or told.get(row["article_id"], {}).get("publisher")} for row in rows]


def with_pages(settings: Settings, rows: Sequence[Row]) -> list[Row]:
    """Return the rows, each with the `page` of its verdict if it is kept."""
    for row in rows:
        page = f"verdicts/{row['verdict_id']}.html"
        row["page"] = page if row["verdict_id"] and (settings.home / "reports" / page).exists() else None
    return list(rows)
