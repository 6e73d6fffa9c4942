"""Reading files into typed DuckDB tables of the contract's shape; rejected rows are listed with their reasons.

Files are read one at a time, each cell as text that `cells.py` converts, so a rejected row is named by file and line.
Beyond its memory limit DuckDB keeps its tables on disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from duckdb import CaseExpression, ColumnExpression, ConstantExpression, Expression, StarExpression

from include.adapters import duck
from include.core.errors import SettingsError, SourceError
from include.data.loading.cells import NOTHING, call, cell_of, is_faulty, reason_of, value_of
from include.data.loading.files import Source, delimiter_of, first_rows, format_of, head
from include.data.loading.mapping import NAMED, SKIP, TABLES, Section

LONGEST_LINE_BYTES = 16 << 20
NOT_IN_JSON = "\x01"  # a delimiter that cannot occur in a line of JSON, so each line is one cell
SHOWN_CHARACTERS = 500
NUMBERED = "row_number() OVER ()"

Cells = dict[str | int, Expression]


@dataclass
class Count:
    """Counts of a section's rows: `read` = `kept` + `left_out` + `rejected`."""

    files: int = 0
    kept: int = 0
    left_out: int = 0
    rejected: int = 0
    without_dwell: int = 0

    @property
    def read(self) -> int:
        """Return the number of all rows."""
        return self.kept + self.left_out + self.rejected


class Intake:
    """The rows of the files read so far, and the counts of each section."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sections: Mapping[str, Section]) -> None:
        self.connection = connection
        self.counts = {name: Count() for name in sections}
        connection.execute(duck.query("data/loading/macros"))
        connection.execute(duck.query("data/loading/tables"))
        where = [pa.field("file_no", pa.int64()), pa.field("file_row_number", pa.int64())]
        for name, table in TABLES.items():
            empty = pa.schema([*table.columns, *where]).empty_table()
            connection.from_arrow(empty).create(name)

    def read(self, section: Section, source: Source) -> None:
        """Read one more file."""
        count = self.counts[section.name]
        count.files += 1
        about = {"section": section.name, "file": source.name}
        try:
            header_lines = self._make_part(section, source)
            self._keep(section, count)
            lines = self.connection.execute(duck.query("data/loading/reject_lines"), about).fetchall()[0][0]
            rows = self._name_faults(section)
            if rows:
                self.connection.execute(duck.query("data/loading/reject_rows"), {**about, "header_lines": header_lines})
            count.rejected += lines + rows
        except (duckdb.Error, UnicodeError) as error:
            raise SourceError(
                f"{source.name} cannot be read: {' '.join(str(error).split())[:300]}.",
                hint="check the file, or describe its format in the mapping (docs/mapping.md).",
            ) from error
        finally:
            for table in ("part", "bad", "refused", "refused_scans"):
                self.connection.execute(DROP[table])

    def _make_part(self, section: Section, source: Source) -> int:
        """Create the table `part` from the file's rows, with the cells of bad ones; return the number of header lines.

        Cells, values and faults are successive selects, so that each named expression is bound and computed once.
        """
        raw, cells, header_lines = self._open(section, source)
        if section.split:
            split = section.split.column
            raw = raw.select(StarExpression(), call("as_parts", cells[split], section.split.separator).alias("piece"))
            cells = {**cells, split: ColumnExpression("piece")}
        row_no, mapped, targets = ColumnExpression("row_no"), list(section.columns), section.table.columns.names
        cell = {target: ColumnExpression(f"cell_of_{target}") for target in mapped}
        value = {target: ColumnExpression(target) for target in targets}
        texts = raw.select(row_no, *(cell_of(section, one, cells).alias(f"cell_of_{one}") for one in mapped))
        values = texts.select(
            StarExpression(), *(value_of(section, one, cell.get(one, NOTHING)).alias(one) for one in targets)
        )
        faulty = [is_faulty(section, one, cell[one], value[one]) for one in mapped]
        lacks = [cell[one].isnull() for one in section.may_lack] or [ConstantExpression(False)]
        is_bad, is_left_out = (call("list_contains", call("list_value", *some), True) for some in (faulty, lacks))
        names = [
            (cell[one] if section.is_named(one) else NOTHING.cast("varchar")).alias(f"name_of_{one}") for one in NAMED
        ]
        kept_cells = CaseExpression(is_bad & ~is_left_out, call("list_value", *cell.values())).alias("cells")
        values.select(row_no, *value.values(), *names, kept_cells, is_left_out.alias("is_left_out")).create("part")
        return header_lines

    def _name_faults(self, section: Section) -> int:
        """Create the table `bad` from the rows that cannot be used, with reasons, and return their number."""
        bad = self.connection.table("part").filter(ColumnExpression("cells").isnotnull())
        reasons = []
        for place, target in enumerate(section.columns, 1):
            cell = call("list_extract", ColumnExpression("cells"), place)
            faulty = is_faulty(section, target, cell, ColumnExpression(target))
            reasons.append(CaseExpression(faulty, reason_of(section, target, cell)))
        if not bad.limit(1).fetchall():
            return 0
        bad.select(
            ColumnExpression("row_no"),
            call("concat_ws", "; ", *reasons).alias("reason"),
            call("left", call("array_to_string", ColumnExpression("cells"), " | "), SHOWN_CHARACTERS).alias("content"),
        ).create("bad")
        return self._size("bad")

    def _keep(self, section: Section, count: Count) -> None:
        good = self.connection.table("part").filter(ColumnExpression("cells").isnull())
        if section.may_lack:
            count.left_out += good.filter(ColumnExpression("is_left_out")).count("*").fetchall()[0][0]
            good = good.filter(~ColumnExpression("is_left_out"))
        for target in NAMED:
            if section.is_named(target):
                kind = ConstantExpression(target.removesuffix("_id"))
                names = good.select(kind, ColumnExpression(target), ColumnExpression(f"name_of_{target}"))
                names.distinct().insert_into("names")
        if section.name == "events":
            good = self._kinds(section, good, count)
        columns = [ColumnExpression(name) for name in section.table.columns.names]
        rows = good.select(*columns, ConstantExpression(count.files).cast("bigint"), ColumnExpression("row_no"))
        before = self._size(section.name)
        rows.insert_into(section.name)
        count.kept += self._size(section.name) - before

    def _kinds(self, section: Section, good: duckdb.DuckDBPyRelation, count: Count) -> duckdb.DuckDBPyRelation:
        """Return the rows by kind: a row with several kinds becomes several rows, a skipped one is left out."""
        said = list(section.columns["kind"].values.values())
        if any(len(meant) > 1 for meant in said):
            good = good.select(
                StarExpression(exclude=["kind"]), call("as_kinds", ColumnExpression("kind")).alias("kind")
            )
        kind = ColumnExpression("kind")
        if (SKIP,) in said:
            count.left_out += good.filter(kind == ConstantExpression(SKIP)).count("*").fetchall()[0][0]
            good = good.filter(kind != ConstantExpression(SKIP))
        if section.read_without_dwell == "click":
            is_short = (kind == ConstantExpression("read")) & ColumnExpression("dwell_seconds").isnull()
            count.without_dwell += good.filter(is_short).count("*").fetchall()[0][0]
            click = CaseExpression(is_short, ConstantExpression("click")).otherwise(kind)
            good = good.select(StarExpression(exclude=["kind"]), click.alias("kind"))
        return good

    def _size(self, table: str) -> int:
        return int(self.connection.table(table).count("*").fetchall()[0][0])

    def _open(self, section: Section, source: Source) -> tuple[duckdb.DuckDBPyRelation, Cells, int]:
        """The file's rows as text, numbered, cells by column, what to show of a row, lines of the head."""
        wanted = [one.column for one in section.columns.values() if one.column is not None]
        wanted += [section.split.column] if section.split else []
        form = format_of(section, source)
        header_lines = 0
        if form == "parquet":
            self.connection.execute(duck.query("data/loading/nothing_refused"))
            raw = self.connection.read_parquet(str(source.path))
            cells: Cells = {
                name: (call("to_json", ColumnExpression(name)) if "[" in str(kind) else ColumnExpression(name)).cast(
                    "varchar"
                )
                for name, kind in zip(raw.columns, raw.types, strict=True)
            }
        elif form == "jsonl":
            raw = self._csv(source, section, ["line"], NOT_IN_JSON, "", header=False)
            raw = raw.filter(ColumnExpression("line").isnotnull())
            names = list(dict.fromkeys(str(name) for name in wanted))
            line = ColumnExpression("line")
            paths = ConstantExpression([json_path(name) for name in names])
            found = CaseExpression(call("json_valid", line), call("json_extract_string", line, paths))
            raw = raw.select(found.alias("found"), line)
            cells = {
                name: call("list_extract", ColumnExpression("found"), place + 1) for place, name in enumerate(names)
            }
        else:
            delimiter = delimiter_of(section, source)
            first = first_rows(head(source, section.encoding), delimiter, 1, section.quote)
            titles = first[0] if first else []
            safe = [f"c{number}" for number in range(1, len(titles) + 1)]
            raw = self._csv(source, section, safe, delimiter, section.quote, header=section.header)
            cells = {number: ColumnExpression(name) for number, name in enumerate(safe, 1)}
            if section.header:
                header_lines = 1
                cells = {
                    **{title.strip(): ColumnExpression(name) for title, name in zip(titles, safe, strict=True)},
                    **cells,
                }
        if missing := sorted({str(name) for name in wanted if name not in cells}):
            raise SettingsError(
                f"{source.name} has no column {', '.join(missing)}; it has "
                f"{', '.join(str(name) for name in cells if section.header == isinstance(name, str)) or 'none'}.",
                hint="correct `columns` in the mapping.",
            )
        numbered = raw.row_number("over ()", "*")
        return (
            numbered.select(StarExpression(exclude=[NUMBERED]), ColumnExpression(NUMBERED).alias("row_no")),
            cells,
            header_lines,
        )

    def _csv(
        self, source: Source, section: Section, columns: list[str], delimiter: str, quote: str, *, header: bool
    ) -> duckdb.DuckDBPyRelation:
        return self.connection.read_csv(
            str(source.path),
            columns=dict.fromkeys(columns or ["c1"], "VARCHAR"),
            auto_detect=False,
            header=header,
            sep=delimiter,
            quotechar=quote,
            escapechar=quote,
            encoding=section.encoding,
            compression="gzip" if source.name.endswith(".gz") else "none",
            max_line_size=LONGEST_LINE_BYTES,
            ignore_errors=True,
            store_rejects=True,
            rejects_table="refused",
            rejects_scan="refused_scans",
        )


DROP = {table: f"drop table if exists {table}" for table in ("part", "bad", "refused", "refused_scans")}


def json_path(name: str) -> str:
    """Return the JSON path of a field; a dot in the name leads into an object."""
    return "$." + ".".join(json.dumps(part, ensure_ascii=False) for part in name.split("."))


def open_intake(sections: Mapping[str, Section]) -> Intake:
    """Return an empty intake."""
    return Intake(duck.connect(), sections)
