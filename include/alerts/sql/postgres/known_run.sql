-- A run whose failure its task reported, to an incident that is open or was closed lately, or whose form was refused.
select 1 from ops.incident_runs r join ops.incidents i using (incident_id)
where r.dag_id = %(dag_id)s and r.run_id = %(run_id)s
  and (i.closed_at is null or i.closed_at >= %(closed_since)s)
union all
select 1 from ops.refused_runs where dag_id = %(dag_id)s and run_id = %(run_id)s
