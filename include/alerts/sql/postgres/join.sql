-- A run that was cleared and failed again counts once.
insert into ops.incident_runs (incident_id, dag_id, run_id, task_id, as_of, kind, failed_at)
values (%(incident_id)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(as_of)s, %(kind)s, %(failed_at)s)
on conflict (incident_id, dag_id, run_id) do update
    set task_id = excluded.task_id, failed_at = excluded.failed_at, worked_at = null
