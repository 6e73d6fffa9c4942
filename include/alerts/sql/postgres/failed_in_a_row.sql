-- Runs of a DAG that failed since what stopped them last worked, whatever the causes; also of an incident that comes back.
select count(distinct r.run_id)
from ops.incident_runs r join ops.incidents i using (incident_id)
where r.dag_id = %(dag_id)s and r.kind = 'live' and (i.closed_at is null or i.incident_id = %(incident_id)s)
  and r.failed_at > coalesce(i.recovered_at, '-infinity'::timestamptz)
