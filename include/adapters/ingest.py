"""Arrow batches into a PostgreSQL table through ADBC: binary COPY, whatever the columns and the empty values.

Belongs here: the copying. Does not belong here: the table, which is there already, and what becomes of its rows.
"""

from __future__ import annotations

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from include.adapters.warehouse import uri
from include.core.errors import ServiceError
from include.core.settings import Settings


def copy_in(settings: Settings, role: str, schema: str, table: str, rows: pa.RecordBatchReader) -> int:
    """How many rows were appended to a table whose columns are those of `rows`, in one transaction."""
    try:
        with adbc.connect(uri(settings, role)) as connection, connection.cursor() as cursor:
            copied = cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)
            connection.commit()
            return int(copied)
    except adbc.Error as error:
        raise ServiceError(
            f"PostgreSQL did not take the rows of {schema}.{table}: {str(error).strip().splitlines()[-1]}.",
            hint="is it running, and is there space on its disk? Nothing was changed.",
        ) from error
