-- Open incidents with the runs that they stopped and the mute on them, pages first; then those closed since a moment.
select i.incident_id, i.cause, i.subject, i.title, i.severity, i.trouble, i.thread, i.opened_at, i.last_at,
       i.recovered_at, i.closed_at, i.returns, i.mailed, i.acknowledged_at, i.acknowledged_by,
       m.until as muted_until, m.actor as muted_by, m.reason as mute_reason, i.recovered_by,
       coalesce(s.stopped, '{}') as stopped
from ops.incidents i
left join ops.mutes m using (cause, subject)
left join lateral (
    select jsonb_object_agg(dag_id, runs) as stopped
    from (select dag_id, count(*) as runs from ops.incident_runs r
          where r.incident_id = i.incident_id group by dag_id) by_dag
) s on true
where i.closed_at is null or i.closed_at >= %(closed_since)s
order by i.closed_at desc nulls first, i.severity, i.opened_at, i.incident_id
