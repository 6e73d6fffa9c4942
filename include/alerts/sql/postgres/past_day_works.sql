-- A past day that works is none of those that failed any more; the last one stays, for the end of its incident.
delete from ops.incident_runs r
using ops.incidents i
where i.incident_id = r.incident_id and i.closed_at is null
  and r.kind = 'past' and r.dag_id = %(dag_id)s and r.run_id = %(run_id)s
  and exists (select 1 from ops.incident_runs o where o.incident_id = r.incident_id and o.kind = 'past'
              and (o.dag_id, o.run_id) <> (r.dag_id, r.run_id))
