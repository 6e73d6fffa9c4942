-- By the moment that its run worked as of: a run that was cleared took several snapshots and names the last one only.
delete from ops.late_rows
where measured_at >= %(since)s and as_of in (select as_of from ops.runs where run_id like any(%(runs)s))
