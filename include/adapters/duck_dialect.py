"""A dialect of SQLAlchemy for an open DuckDB connection, through which Great Expectations asks DuckDB in SQL.

DuckDB speaks PostgreSQL's SQL, so the dialect is PostgreSQL's with four differences: it joins a connection that is
already open, with its views; it reads columns with `describe`; patterns search a text, as PostgreSQL's `~` does; and
values are written into the statement, because DuckDB compiles a pattern once only when it is a constant. The package
`duckdb-engine` fails on DuckDB 2 (docs/decisions/0021).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from sqlalchemy import types
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.pool import StaticPool

SCHEME = "duckdb+joined"
NO_ROWS = "LIMIT 0"
SEARCHES = {"~": "regexp_matches", "!~": "not regexp_matches"}
TYPES = {
    "BIGINT": types.BIGINT,
    "BOOLEAN": types.BOOLEAN,
    "DOUBLE": types.DOUBLE,
    "FLOAT": types.FLOAT,
    "INTEGER": types.INTEGER,
    "SMALLINT": types.SMALLINT,
    "TIMESTAMP WITH TIME ZONE": types.TIMESTAMP,
    "VARCHAR": types.VARCHAR,
}
_joined: dict[str, duckdb.DuckDBPyConnection] = {}

registry.register(SCHEME.replace("+", "."), __name__, "DuckDialect")


@contextmanager
def joined(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the address under which SQLAlchemy reaches this connection."""
    name = uuid.uuid4().hex
    _joined[name] = connection
    try:
        yield f"{SCHEME}:///{name}"
    finally:
        del _joined[name]


class _Compiler(PGCompiler):
    """Write patterns as DuckDB searches them, and values as constants."""

    def visit_custom_op_binary(self, element: Any, operator: Any, **options: Any) -> str:
        search = SEARCHES.get(operator.opstring)
        if search is None:
            return str(super().visit_custom_op_binary(element, operator, **options))  # type: ignore[no-untyped-call]
        return f"{search}({self.process(element.left, **options)}, {self.process(element.right, **options)})"

    def visit_bindparam(self, bindparam: Any, *args: Any, **options: Any) -> str:
        options["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, *args, **options))  # type: ignore[no-untyped-call]


class _Cursor:
    """A DBAPI cursor on the joined connection, which holds one result at a time."""

    rowcount = -1
    arraysize = 1

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Any = None) -> None:
        if statement.endswith(NO_ROWS):  # nothing is asked, and planning it over the views would take 20 ms
            statement = f"select null {NO_ROWS}"
        self._connection.execute(statement, parameters or None)

    @property
    def description(self) -> Any:
        return self._connection.description

    def fetchall(self) -> Any:
        return self._connection.fetchall()

    def fetchmany(self, size: int = 1) -> Any:
        return self._connection.fetchmany(size)

    def fetchone(self) -> Any:
        return self._connection.fetchone()

    def close(self) -> None:
        """Leave the connection open; its owner closes it."""


class _Connection:
    """A DBAPI connection that joins an open one; it only reads, so there is nothing to commit."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None:
        """Do nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Leave the connection open; its owner closes it."""


class _Driver:
    """What SQLAlchemy wants to know of a DBAPI module."""

    apilevel = "2.0"
    paramstyle = "qmark"
    Error = duckdb.Error

    @staticmethod
    def connect(name: str) -> _Connection:
        return _Connection(_joined[name])


class DuckDialect(PGDialect):
    """PostgreSQL's dialect over a joined DuckDB connection."""

    driver = "duckdb"
    statement_compiler = _Compiler
    supports_statement_cache = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver."""
        return _Driver

    @classmethod
    def get_pool_class(cls, url: Any) -> Any:
        """Use the one connection that there is."""
        return StaticPool

    def create_connect_args(self, url: Any) -> Any:
        """Return the name of the joined connection."""
        return [url.database], {}

    def initialize(self, connection: Any) -> None:
        """Ask nothing: DuckDB does not answer what PostgreSQL's dialect asks first."""
        self.server_version_info = (16, 0)
        self.default_schema_name = "main"
        self._backslash_escapes = False

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **options: Any) -> Any:
        """Return the columns of a table or view."""
        quoted = self.identifier_preparer.quote_identifier(table_name)
        found = connection.exec_driver_sql(f"describe {quoted}").fetchall()
        return [
            {"name": name, "type": TYPES.get(kind, types.VARCHAR)(), "nullable": True, "default": None}
            for name, kind, *_ in found
        ]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **options: Any) -> Any:
        """Return no key: views have none."""
        return {"constrained_columns": [], "name": None}

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **options: Any) -> bool:
        """Return whether there is such a table or view."""
        names = connection.exec_driver_sql("show tables").fetchall()
        return (table_name,) in names

    def get_schema_names(self, connection: Any, **options: Any) -> Any:
        """Return the one schema."""
        return [self.default_schema_name]

    def get_table_names(self, connection: Any, schema: str | None = None, **options: Any) -> Any:
        """Return the names of tables and views."""
        return [name for (name,) in connection.exec_driver_sql("show tables").fetchall()]
