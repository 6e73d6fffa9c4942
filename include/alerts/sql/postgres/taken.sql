select 1 from ops.incident_runs where dag_id = %(dag_id)s and run_id = %(run_id)s and failed_at >= %(failed_at)s
