"""Checks on tables as a whole: rows and columns are there, no row is lost, no view offers private columns.

Belongs here: counts of files and of the database. Does not belong here: rules on rows (`judgement.py`).
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
    """Check that there are rows, with the columns and types of the contract."""
    rows = snapshot.rows(table.name)
    yield at_least("TAB101", "There are rows", table.name, rows, 1, f"{rows:,} rows.")
    schemas = [pq.read_schema(path) for path in snapshot.paths(settings, table.name)]
    wrong = sum(not schema.equals(table.columns) for schema in schemas)
    told = f"{wrong:,} of {len(schemas):,} files differ from the contract in columns or types."
    yield at_most("TAB102", "Columns are the contract's", table.name, wrong, 0, told)


def check_split(settings: Settings, raw: Snapshot, clean: Snapshot) -> list[Check]:
    """Check that every row is in the clean snapshot or in quarantine, by counts of the files and of the database."""
    checks = []
    with connect(settings) as warehouse:
        for table in TABLES:
            held = warehouse.execute(query(f"validation/quarantine/count_{table.name}"), [raw.id]).fetchone() or (0,)
            stayed = sum(pq.read_metadata(path).num_rows for path in clean.paths(settings, table.name))
            rows = sum(pq.read_metadata(path).num_rows for path in raw.paths(settings, table.name))
            told = f"{rows:,} rows arrived: {stayed:,} were kept and {held[0]:,} quarantined."
            lost = abs(rows - stayed - held[0])
            checks.append(at_most("TAB103", "No row is lost", table.name, lost, 0, told))
    return checks


def check_offered_columns(settings: Settings) -> list[Check]:
    """Check that no view offers a column that identifies a person. It is never read, but should not exist."""
    checks = []
    for table, names in offered_columns(settings).items():
        private = sorted(name for name in names if is_private(name))
        told = f"{len(private)} of {len(names)} columns identify a person: {', '.join(private) or 'none'}."
        title, severity = "Views offer nothing private", settings.private_columns
        checks.append(at_most("PII105", title, table, len(private), 0, told, severity=severity))
    return checks


def is_private(column: str) -> bool:
    """Return whether a column's name points to a person rather than to reading."""
    name = column.lower()
    return name in PRIVATE_NAMES or bool({word.rstrip("0123456789") for word in name.split("_")} & PRIVATE_WORDS)
