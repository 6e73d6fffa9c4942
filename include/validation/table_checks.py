"""Checks on tables as a whole: rows and columns are there, no row is lost, nothing private is offered.

Belongs here: what is counted in files and in the database. What rules say about rows is `validation.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.parquet as pq

from include.adapters.source import offered_columns
from include.adapters.warehouse import connect, query
from include.core.checks import Check, at_least, at_most
from include.core.contract import TABLES, SourceTable
from include.core.settings import Settings
from include.core.text_patterns import PRIVATE_NAMES, PRIVATE_WORDS
from include.data.snapshot import Snapshot


def check_files(settings: Settings, snapshot: Snapshot, table: SourceTable) -> Iterator[Check]:
    """That there are rows, in the columns and types of the contract."""
    rows = snapshot.rows(table.name)
    yield at_least("TAB101", "There are rows", table.name, rows, 1, f"{rows:,} rows.")
    schemas = [pq.read_schema(path) for path in snapshot.paths(settings, table.name)]
    wrong = sum(not schema.equals(table.columns) for schema in schemas)
    told = f"{wrong:,} of {len(schemas):,} files have other columns or types than the contract."
    yield at_most("TAB102", "Columns are the contract's", table.name, wrong, 0, told)


def check_split(settings: Settings, raw: Snapshot, clean: Snapshot) -> list[Check]:
    """That every row is in the clean snapshot or in quarantine, counted in the files and in the database."""
    checks = []
    with connect(settings) as warehouse:
        for table in TABLES:
            held = warehouse.execute(query(f"validation/quarantine/count_{table.name}"), [raw.id]).fetchone() or (0,)
            stayed = sum(pq.read_metadata(path).num_rows for path in clean.paths(settings, table.name))
            rows = sum(pq.read_metadata(path).num_rows for path in raw.paths(settings, table.name))
            told = f"{rows:,} rows came: {stayed:,} stayed and {held[0]:,} were set aside."
            lost = abs(rows - stayed - held[0])
            checks.append(at_most("TAB103", "No row is lost", table.name, lost, 0, told))
    return checks


def check_offered_columns(settings: Settings) -> list[Check]:
    """That no view offers a column whose name says who somebody is. It is never read, but it should not be there."""
    checks = []
    for table, names in offered_columns(settings).items():
        private = sorted(name for name in names if is_private(name))
        told = f"{len(private)} of {len(names)} columns identify a person: {', '.join(private) or 'none'}."
        title, severity = "Views offer nothing private", settings.private_columns
        checks.append(at_most("PII105", title, table, len(private), 0, told, severity=severity))
    return checks


def is_private(column: str) -> bool:
    """Whether a column's name speaks of a person rather than of reading."""
    name = column.lower()
    return name in PRIVATE_NAMES or bool({word.rstrip("0123456789") for word in name.split("_")} & PRIVATE_WORDS)
