"""The conditions by which a row breaks a rule, in SQL, as Great Expectations asks for them.

There is one source: Great Expectations makes a condition of each expectation, counts by it, and the quarantine pass
finds the rows by the same text. Conditions do not depend on the rows, so they are made on empty tables and kept;
whoever only looks for rows need not load Great Expectations.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import ConstantExpression, StarExpression

from include.adapters import duck, duck_dialect, gx
from include.core.contract import MOMENT, TABLES, SourceTable
from include.core.settings import Settings
from include.data.store import digest_file, digest_of, read_json, write_json
from include.validation.suites import suite

PLACE = {"filename": pa.string(), "file_row_number": pa.int64()}
A_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_known: dict[str, dict[str, str]] = {}


def find_conditions(settings: Settings) -> dict[str, str]:
    """Return the condition of every rule on rows by its code; other expectations have none."""
    digest = _digest()
    if digest not in _known:
        path = settings.home / "validation" / digest[:2] / f"{digest}.json"
        if not path.exists():
            write_json(path, _make())
        _known[digest] = read_json(path)
    return _known[digest]


def _digest() -> str:
    """Return the digest of all that conditions depend on: rules, views, and what turns a rule into SQL."""
    makers = [digest_file(Path(inspect.getfile(module))) for module in (gx, duck_dialect)]
    texts = [duck.query(f"validation/{table.name}{part}") for table in TABLES for part in ("", "_window")]
    return digest_of(
        [[asdict(rule) for rule in suite(table)] for table in TABLES], texts, makers, gx.installed_version()
    )


def _make() -> dict[str, str]:
    """Ask Great Expectations for the conditions, on empty tables."""
    found: dict[str, str] = {}
    with duck.connect() as connection:
        for table in TABLES:
            schema = pa.schema([*table.columns, *PLACE.items()])
            connection.from_arrow(schema.empty_table()).create(table.name)
            create_facts(connection, table)
            facts = connection.view(f"{table.name}_facts")
            facts.select(StarExpression(), ConstantExpression(True).alias("is_sound")).create_view(f"{table.name}_rows")
        create_window(connection, A_MOMENT, A_MOMENT)
        with gx.open_judge(connection) as judge:
            for table in TABLES:
                found |= judge.conditions(f"{table.name}_window", suite(table))
    return found


def create_facts(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> None:
    """Create the view `<table>_facts` that adds what rules on single rows need."""
    connection.sql(duck.query(f"validation/{table.name}")).create_view(f"{table.name}_facts")


def create_window(connection: duckdb.DuckDBPyConnection, window_start: datetime, as_of: datetime) -> None:
    """Create the views `<table>_window` over `<table>_rows` that add what rules on other rows need."""
    moments = {"as_of": [as_of], "window_start": [window_start]}
    bounds = pa.table(moments, pa.schema([(name, MOMENT) for name in moments]))
    connection.from_arrow(bounds).create("bounds")
    for table in TABLES:
        if table.name == "reading_events":
            connection.sql(duck.query("validation/reading_events_related")).create_view("reading_events_related")
        connection.sql(duck.query(f"validation/{table.name}_copies")).create(f"{table.name}_copies")
        connection.sql(duck.query(f"validation/{table.name}_window")).create_view(f"{table.name}_window")
