-- A DAG works again, as of these runs' moments or later; past days say nothing of it.
update ops.incident_runs set worked_at = %(moment)s
where dag_id = %(dag_id)s and kind <> 'past' and worked_at is null and coalesce(as_of <= %(as_of)s, true)
