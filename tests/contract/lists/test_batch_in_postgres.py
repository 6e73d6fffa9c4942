"""A batch in a real PostgreSQL: what is written is what readers see, to the last character, and gaps are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.adapters.warehouse import connect
from include.core.checks import blocking
from include.core.errors import AuditFailed
from include.lists import batch as batches
from include.lists.audit import audit_rows
from include.models import RANKED

AS_OF = datetime(2026, 11, 15, tzinfo=UTC)
ABOUT = {
    "batch_id": "20261115T000000Z_v1_abc",
    "as_of": AS_OF,
    "model_version": 1,
    "snapshot_id": "a snapshot",
    "run_id": "a run",
    "list_length": 2,
}
ROWS = [
    (1, 1, 11, 0.5, "New in politics"),
    (1, 2, 12, 0.25, "“Süß”, they said\t\\N"),
    (2**40, 1, 12, 0.0, ""),
    (2**40, 2, 11, -1.5, "New in sports"),
]


def lists_of(rows):
    readers, ranks, articles, scores, reasons = zip(*rows, strict=True)
    moments = [AS_OF] * len(rows)
    return pa.table([readers, moments, ranks, articles, scores, reasons], names=RANKED.names).cast(RANKED)


def test_readers_see_the_rows_that_were_written(fresh_warehouse):
    with connect(fresh_warehouse) as warehouse:
        assert batches.write(warehouse, lists_of(ROWS).to_batches(), ABOUT) == (2, 4)
        checks = audit_rows(warehouse, ABOUT["batch_id"], list_length=2, expected_readers=2)
        assert not blocking(checks)
        batches.set_status(warehouse, ABOUT["batch_id"], "audited")
        assert batches.switch(warehouse, ABOUT["batch_id"], AS_OF, 60)
        seen = warehouse.execute("select reader_id, rank, article_id, score, reason from recs.current order by 1, 2")
        assert seen.fetchall() == ROWS


def test_writing_a_batch_again_replaces_it(fresh_warehouse):
    for rows in (ROWS, ROWS[:2]):
        with connect(fresh_warehouse) as warehouse:
            written = batches.write(warehouse, lists_of(rows).to_batches(), ABOUT)
    assert written == (1, 2)


def test_the_audit_counts_what_is_wrong_with_the_lists(fresh_warehouse):
    rows = [(1, 1, 11, 0.5, ""), (1, 2, 11, float("nan"), ""), (2, 1, 11, 0.5, ""), (2, 3, 12, float("inf"), "")]
    with connect(fresh_warehouse) as warehouse:
        batches.write(warehouse, lists_of(rows).to_batches(), ABOUT)
        checks = audit_rows(warehouse, ABOUT["batch_id"], list_length=2, expected_readers=3)
    assert {check.code: check.observed for check in checks} == {
        "PB101": 2,
        "PB102": 2,
        "PB103": 1,
        "PB104": 1,
        "PB105": 2,
    }


@pytest.mark.parametrize(
    ("later", "error", "said"),
    [([(3, 1, 11, None, "")], AuditFailed, "at least 1 missing value"), ([], OSError, "The file breaks off")],
)
def test_lists_that_break_off_in_the_middle_leave_the_batch_as_it_was(fresh_warehouse, later, error, said):
    """They are taken as they come: by then their beginning is on its way."""

    def parts():
        yield from lists_of(ROWS[:2]).to_batches()
        if not later:
            raise OSError("The file breaks off")
        yield from lists_of(later).to_batches()

    with connect(fresh_warehouse) as warehouse:
        batches.write(warehouse, lists_of(ROWS).to_batches(), ABOUT)
    with pytest.raises(error, match=said), connect(fresh_warehouse) as warehouse:
        batches.write(warehouse, parts(), ABOUT)
    with connect(fresh_warehouse) as warehouse:
        assert warehouse.execute("select count(*) from recs.recommendations").fetchone() == (len(ROWS),)
        left = "select count(*) from pg_class where relname like 'draft_%' and relkind = 'r'"
        assert warehouse.execute(left).fetchone() == (0,)
