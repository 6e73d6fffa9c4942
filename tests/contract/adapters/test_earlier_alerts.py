"""Alerts and incidents of an installation of before the channels: what was mailed, what waits, what counts in a row."""

from __future__ import annotations

from include.adapters.warehouse import connect, migrate
from include.alerts.outbox import Channel, deliver_pending
from tests.worlds.reigns import ask_for

BEFORE = """
alter table ops.alerts drop column facts, add column sent_at timestamptz,
    add column attempts integer not null default 0, add column last_error text;
drop table ops.deliveries, ops.channels;
alter table ops.incidents drop column recovered_by;
alter table ops.incident_runs drop column worked_at;
alter table ops.runs drop column cpu_seconds;
delete from public.migrations where name = '0026_channels';
insert into ops.alerts (incident, severity, subject, body, sent_at, attempts, last_error) values
    ('mailed', 'ticket', 'mailed', 'b', now(), 1, null), ('waits', 'page', 'waits', 'b', null, 3, 'away');
insert into ops.incidents (cause, subject, title, severity, trouble, thread, opened_at, last_at, closed_at) values
    ('c', 'over', 't', 'ticket', '{}', 'over', now() - interval '2 h', now() - interval '2 h', now() - interval '1 h'),
    ('c', 'open', 't', 'ticket', '{}', 'open', now(), now(), null);
insert into ops.incident_runs (incident_id, dag_id, run_id, task_id, kind, failed_at)
select incident_id, 'retrain', subject, 't', 'live', last_at from ops.incidents;
"""


def test_what_was_mailed_stays_mailed_what_waits_is_mailed_and_runs_of_what_is_over_count_no_more(fresh_warehouse):
    with connect(fresh_warehouse, "postgres") as server:
        server.execute(BEFORE)
    assert migrate(fresh_warehouse) == ["0026_channels"]
    told = "select incident, sent_at is not null, attempts, last_error from ops.alerts join ops.deliveries"
    assert ask_for(fresh_warehouse, f"{told} using (alert_id) order by alert_id") == [
        ("mailed", True, 1, None),
        ("waits", False, 3, "away"),
    ]
    sent = []
    deliver_pending(fresh_warehouse, {"mail": Channel(sent.append)})
    assert [alert.subject for alert in sent] == ["waits"]
    assert ask_for(fresh_warehouse, "select run_id from ops.incident_runs where worked_at is null") == [("open",)]
