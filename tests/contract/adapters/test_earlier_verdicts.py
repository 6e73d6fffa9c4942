"""Verdicts of an installation of before: which of them count, and which of their questions are still open."""

from __future__ import annotations

from include.adapters.warehouse import connect, migrate
from include.pipeline.deciding import find_question
from tests.worlds.reigns import ask_for, crown
from tests.worlds.tiny import AS_OF

BEFORE = """
drop view ops.version_claims;
alter table ops.verdicts drop column rival, drop column of_record_at, drop column chained_at, drop column asked_at;
alter table ops.runs drop column kind, drop column mode, drop column actor, drop column reason, drop column form;
delete from public.migrations where name = '0020_as_of';
"""
OLD = """
insert into ops.verdicts
    (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq, decision, checks, metrics)
values (%s, %s, %s, 2, 1, 1, %s, '[]', '{}')
"""
VERDICTS = (
    ("nightly", "retrain/scheduled__2026-11-20T03:00:00+00:00", "keep"),
    ("drifted", "retrain/asset_triggered__2026-11-20T09:30:00+00:00", "keep"),
    ("backfill", "retrain/backfill__2026-11-18T03:00:00+00:00", "ask"),
    ("by hand", "retrain/manual__2026-11-20T10:00:00+00:00", "keep"),
    ("asked", "retrain/manual__2026-11-20T11:00:00+00:00", "ask"),
    ("promoted", "cli/retrain/2026-11-20T12:00:00+00:00", "promote"),
)


def test_verdicts_of_before_count_if_they_did_and_what_a_person_was_asked_stays_open(fresh_warehouse):
    with connect(fresh_warehouse, "postgres") as server:
        server.execute(BEFORE)
        for name, run_id, decision in VERDICTS:
            server.execute(OLD, [name, AS_OF, run_id, decision])
        server.execute(
            "insert into ops.alerts (incident, severity, subject, body) values ('ask/asked', 'ticket', 's', 'b')"
        )
    crown(fresh_warehouse, 1, AS_OF, verdict_id="promoted")
    assert migrate(fresh_warehouse) == ["0020_as_of"]
    counts = ask_for(fresh_warehouse, "select verdict_id from ops.verdicts where of_record_at is not null order by 1")
    assert [name for (name,) in counts] == ["asked", "drifted", "nightly", "promoted"]
    assert find_question(fresh_warehouse, None)["verdict_id"] == "asked"
    claims = ask_for(fresh_warehouse, "select why from ops.version_claims where version = 2")
    assert [why for (why,) in claims] == ["verdict asked asks for a person"]
    assert migrate(fresh_warehouse) == []
