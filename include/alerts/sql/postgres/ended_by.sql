-- Open incidents that the success of a run speaks for: they stopped its DAG, at no later moment than it worked as of. That
-- a past day works says nothing of today, and today nothing of a past day: there only the last of the runs themselves
-- counts. So it is with a run that its mode ended early.
select r.incident_id
from ops.incident_runs r join ops.incidents i using (incident_id)
where i.closed_at is null and i.subject like %(subjects)s and r.dag_id = %(dag_id)s
group by r.incident_id
having (bool_or((r.kind = 'past' or %(ended_early)s) and r.run_id = %(run_id)s) and not exists (
        select 1 from ops.incident_runs o
        where o.incident_id = r.incident_id and (o.kind = 'past' or %(ended_early)s)
        and (o.dag_id, o.run_id) <> (%(dag_id)s, %(run_id)s)))
    or (not %(is_past)s and not %(ended_early)s and bool_or(r.kind <> 'past')
        and coalesce(%(as_of)s >= max(r.as_of) filter (where r.kind <> 'past'), true))
