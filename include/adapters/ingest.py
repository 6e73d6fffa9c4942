"""Copying Arrow batches into a PostgreSQL table through ADBC's binary COPY, for any columns, with nulls.

Does not belong here: creating the table, which must exist, or using its rows.
"""

from __future__ import annotations

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from include.adapters.warehouse import conninfo
from include.core.errors import ServiceError
from include.core.settings import Settings


def copy_in(settings: Settings, role: str, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
    """Append `rows` to a table with the same columns in one transaction, and return their number."""
    try:
        with adbc.connect(conninfo(settings, role)) as connection, connection.cursor() as cursor:
            copied = cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)
            connection.commit()
            return int(copied)
    except adbc.Error as error:
        raise ServiceError(
            f"PostgreSQL did not accept the rows of {schema}.{table}: {str(error).strip().splitlines()[-1]}.",
            hint="check that it is running and has free disk space. Nothing was changed.",
        ) from error
