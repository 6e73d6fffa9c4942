"""Validation: decide which rows go on, which are quarantined, and what stops the run.

The rules of `contract.py` are a suite of Great Expectations for each table. One checkpoint judges the window; whatever
rule some row breaks, the quarantine pass (`broken_rows.py`) finds its rows by the condition that was counted. Up to the
cap, broken rows leave the snapshot for `quarantine.*`; above it the run stops with `ValidationBlocked` and nothing
downstream runs.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from include.adapters.gx import Answer, limit_name, open_judge
from include.adapters.warehouse import Connection, connect, query
from include.core.checks import Check, Outcome, at_most
from include.core.contract import TABLES, Rule, SourceTable
from include.core.errors import Finding, ValidationBlocked
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.data.snapshot import Snapshot
from include.validation.broken_rows import (
    BrokenCount,
    BrokenRow,
    applying,
    fetch_broken_rows,
    mark_broken_rows,
    open_rows,
    quarantining,
    undelivered,
)
from include.validation.history.checks import look_back
from include.validation.suites import suite, titles
from include.validation.table_checks import check_files

MOST_EXAMPLES = 1000
FOR_EXAMPLE = " For example "


@dataclass(frozen=True)
class Judgement:
    """The checks, the count of broken rows by table, and those rows; above the cap only the first of them."""

    checks: tuple[Check, ...]
    counts: dict[str, BrokenCount]
    broken: tuple[BrokenRow, ...]

    def findings(self, stopped: Sequence[Check]) -> tuple[Finding, ...]:
        """Return the facts about each check that stops the run, for people."""
        return tuple(
            Finding(
                check.subject,
                check.code,
                check.title,
                check.sentence.partition(FOR_EXAMPLE)[0],
                self.counts[check.subject].by_code.get(check.code, 0) if check.subject in self.counts else 0,
                tuple(row.primary_key or "" for row in self.broken if _is_of(row, check))[:3],
            )
            for check in stopped
        )

    def blocked(self, stopped: Sequence[Check], snapshot: Snapshot, report: str) -> ValidationBlocked:
        """Return the error that stops the run."""
        return ValidationBlocked(
            f"{write_count(len(stopped), 'blocking check')} failed on snapshot {snapshot.id}: "
            + " ".join(f"{check.subject}: {check.sentence} [{check.code}]" for check in stopped),
            hint=f"look at the quarantined rows (quarantine.*, snapshot_id {snapshot.id}) and the report at {report}.",
            report=report,
            findings=self.findings(stopped),
        )


def judge_snapshot(settings: Settings, snapshot: Snapshot, docs: Path, *, remember: bool = True) -> Judgement:
    """Ask every rule of a snapshot, find the rows that break one, and write results and Data Docs to `docs`.

    Do not `remember` the figures of a snapshot that mends another, for later days to be compared with.
    """
    caps = {False: settings.quarantine_cap_share, True: settings.private_cap_share}
    with open_rows(settings, snapshot) as connection:
        history = look_back(settings, snapshot, connection, remember=remember)
        suites = {table.name: (f"{table.name}_window", applying(connection, table)) for table in TABLES}
        least = {limit_name(is_private): 1 - cap for is_private, cap in caps.items()}
        with open_judge(connection, docs) as judge:
            answers = judge.judge(suites | history.suites(), least | history.parameters(), snapshot.as_of)
        suspected = {code for name in suites for code, answer in answers[name].items() if answer.broken}
        counts = mark_broken_rows(settings, connection, suspected)
        for table in TABLES:
            _agree(table.name, quarantining(settings, connection, table), answers[table.name], counts[table.name])
        checks = history.checks(answers)
        broken: list[BrokenRow] = []
        for table in TABLES:
            rows = snapshot.rows(table.name)
            held = at_most(
                "TAB104",
                "Few rows are quarantined",
                table.name,
                counts[table.name].rows / rows if rows else None,
                settings.quarantine_cap_share,
                f"{counts[table.name].rows:,} of {rows:,} rows break a blocking rule; "
                f"the limit is {write_number(settings.quarantine_cap_share, 'share')}.",
            )
            found = fetch_broken_rows(
                connection, table, MOST_EXAMPLES if held.blocks else max(MOST_EXAMPLES, counts[table.name].rows)
            )
            broken += found
            checks += [
                *(
                    _check(table, rule, answers[table.name][rule.code], caps[rule.private], found)
                    for rule in suites[table.name][1]
                ),
                *_not_delivered(connection, table),
                *check_files(settings, snapshot, table),
                held,
            ]
    return Judgement(tuple(sorted(checks, key=lambda check: check.code)), counts, tuple(broken))


def _agree(table: str, found_by: Container[str], answers: Mapping[str, Answer], count: BrokenCount) -> None:
    """Raise unless the quarantine pass found as many rows as Great Expectations counted, by the same condition."""
    for code, answer in answers.items():
        if code in found_by and answer.broken != count.by_code.get(code, 0):
            raise RuntimeError(
                f"{code} on {table}: Great Expectations counts {answer.broken:,} values that break it, the quarantine "
                f"pass {count.by_code.get(code, 0):,}."
            )


def _is_of(row: BrokenRow, check: Check) -> bool:
    return row.table == check.subject and (check.code in row.codes or check.code.startswith("TAB"))


def _check(table: SourceTable, rule: Rule, answer: Answer, cap_share: float, broken: Sequence[BrokenRow]) -> Check:
    keys = [row.primary_key or "none" for row in broken if rule.code in row.codes][:3]
    examples = f"{FOR_EXAMPLE}{table.key} {', '.join(keys)}." if keys else ""
    outcome: Outcome = "passed" if answer.is_kept else "failed"
    named = (rule.code, rule.title, table.name, rule.severity, outcome)
    if rule.holds == "as_written":
        told = f"{answer.broken:,} of {answer.judged:,} values break '{rule.title}'.{examples}"
        if answer.observed:
            told = f"Great Expectations observes {answer.observed} for '{rule.title}'."
        return Check(*named, answer.share, "as the expectation says", told)
    return Check(
        *named,
        answer.share,
        f"<= {cap_share:g}",
        f"{answer.broken:,} of {answer.judged:,} values ({write_number(answer.share, 'share', cap_share)}) break "
        f"'{rule.title}'; the limit is {write_number(cap_share, 'share')}.{examples}",
    )


def _not_delivered(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> Iterator[Check]:
    """Yield a note for each rule on a column that the publisher leaves empty in every row."""
    missing = undelivered(connection, table)
    for rule in suite(table):
        column = rule.about or rule.column
        if column in missing:
            sentence = f"The publisher does not deliver {column}, so it was not checked."
            yield Check(rule.code, rule.title, table.name, "info", "not applicable", None, "", sentence)


def examples(broken: Sequence[BrokenRow]) -> list[BrokenRow]:
    """Return the first broken rows of each table, as examples for a run that stops."""
    return [row for table in TABLES for row in [one for one in broken if one.table == table.name][:MOST_EXAMPLES]]


def quarantine_rows(settings: Settings, snapshot: Snapshot, broken: Sequence[BrokenRow], run_id: str) -> None:
    """Write the broken rows to `quarantine.*`, replacing those of an earlier try of the same snapshot."""
    named = titles()
    with connect(settings) as warehouse:
        for table in TABLES:
            warehouse.execute(query(f"validation/quarantine/forget_{table.name}"), [snapshot.id])
            rows = [row for row in broken if row.table == table.name]
            _copy_rows(warehouse, table.name, snapshot.id, run_id, rows, named)


def _copy_rows(
    warehouse: Connection, table: str, snapshot_id: str, run_id: str, rows: Sequence[BrokenRow], titles: dict[str, str]
) -> None:
    with warehouse.cursor() as cursor, cursor.copy(query(f"validation/quarantine/copy_{table}")) as copy:
        for row in rows:
            for code in row.codes:
                where = (snapshot_id, code, row.primary_key, row.file_sha256, row.row_no)
                copy.write_row((*where, titles[code], run_id, row.original))
