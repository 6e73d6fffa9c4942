select count(*) from ops.incident_runs
where incident_id = %(incident_id)s and dag_id = %(dag_id)s and kind = 'live'
  and failed_at > coalesce(%(since)s, '-infinity'::timestamptz)
