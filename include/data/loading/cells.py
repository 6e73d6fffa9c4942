"""Converting a cell's text to a value of the contract, as DuckDB expressions: the value, or the reason it has none.

Belongs here: choosing the macro of `sql/duckdb/macros.sql` for each column. A name from a user's file is always an
argument, never part of a statement.
"""

from __future__ import annotations

from collections.abc import Mapping as Map

import duckdb
import pyarrow as pa
from duckdb import CaseExpression, ConstantExpression, Expression, FunctionExpression

from include.core.contract import MOMENT
from include.data.loading.mapping import NAMED, REQUIRED, UNITS, Column, Section

NOTHING = ConstantExpression(None)
WHOLE = {"int64": "as_whole", "int32": "as_middling", "int16": "as_small"}


def call(macro: str, *arguments: object) -> Expression:
    """Return the call of a macro or function with expressions and constants."""
    return FunctionExpression(
        macro, *(one if isinstance(one, Expression) else ConstantExpression(one) for one in arguments)
    )


def cell_of(section: Section, target: str, cells: Map[str | int, Expression]) -> Expression:
    """Return the text for one of our columns, null where the mapping's `nulls` say so."""
    column = section.columns[target]
    if column.constant is not None:
        return ConstantExpression(column.constant)
    assert column.column is not None
    cell = cells[column.column]
    if column.take:
        cell = call("nullif", call("regexp_extract", cell, column.take, 1), "")
    return CaseExpression(cell.isin(*(ConstantExpression(one) for one in section.nulls)), NOTHING).otherwise(cell)


def value_of(section: Section, target: str, cell: Expression) -> Expression:
    """Return the value of a cell in the contract's type, null if it cannot be used."""
    field = section.table.columns.field(target)
    if target not in section.columns:
        return NOTHING.cast(_type(field.type))
    return _convert(field, section.columns[target], cell)[0].cast(_type(field.type))


def is_faulty(section: Section, target: str, cell: Expression, value: Expression) -> Expression:
    """Return whether this column makes the row unusable."""
    return value.isnull() if target in REQUIRED[section.name] else value.isnull() & cell.isnotnull()


def reason_of(section: Section, target: str, cell: Expression) -> Expression:
    """Return the reason, in words, why a cell cannot be used."""
    why = _convert(section.table.columns.field(target), section.columns[target], cell)[1]
    return call("concat", f"{target} ", CaseExpression(cell.isnull(), ConstantExpression("is empty")).otherwise(why))


def _convert(field: pa.Field, column: Column, cell: Expression) -> tuple[Expression, Expression]:
    if column.values:
        return _look_up(column, cell), call("why_no_value", cell)
    if field.type == MOMENT:
        return _moment(column, cell)
    if field.name in (*NAMED, "event_id", "session_id") and column.type == "text":
        return call("as_name", cell), call("why_no_text", cell)
    if str(field.type) in WHOLE:
        return call(WHOLE[str(field.type)], cell), call("why_no_whole", cell)
    if pa.types.is_floating(field.type):
        times, parts = UNITS.get(column.unit, UNITS["s"])
        return call("as_scaled", cell, times / parts / 1_000_000), call("why_no_number", cell)
    if pa.types.is_boolean(field.type):
        return call("as_flag", cell), call("why_no_flag", cell)
    if pa.types.is_list(field.type):
        return call("as_list", cell, column.separator), call("why_no_text", cell)
    return call("as_text", cell), call("why_no_text", cell)


def _look_up(column: Column, cell: Expression) -> Expression:
    """Return the mapped value of the cell; several, such as impression and click, are joined by commas."""
    found: duckdb.Expression | None = None
    for given, meant in column.values.items():
        case, then = cell == ConstantExpression(given), ConstantExpression(",".join(meant))
        found = CaseExpression(case, then) if found is None else found.when(case, then)
    assert found is not None
    return found


def _moment(column: Column, cell: Expression) -> tuple[Expression, Expression]:
    if column.format:
        return (
            call("as_formatted", cell, column.format, column.zone),
            call("why_no_moment", cell, f"{column.format} in {column.zone}"),
        )
    if column.unit in UNITS:
        how = f"{column.unit} since {column.since}" if column.since else column.unit
        return call("as_counted", cell, *UNITS[column.unit], column.since_us), call("why_no_moment", cell, how)
    if column.zone:
        return call("as_local", cell, column.zone), call("why_no_moment", cell, f"iso in {column.zone}")
    return call("as_zoned", cell), call("why_no_moment", cell, "iso with a zone in it")


def _type(kind: pa.DataType) -> str:
    if kind == MOMENT:
        return "timestamptz"
    names = {"int64": "bigint", "int32": "integer", "int16": "smallint", "double": "double", "bool": "boolean"}
    return "varchar[]" if pa.types.is_list(kind) else names.get(str(kind), "varchar")
