-- By pool, tasks that were ready to start before a moment, if no task of the pool runs or has started since: how many,
-- since when, and the one that has waited longest. Tasks of a paused DAG wait by a person's wish.
with waiting as (
    select t.pool, t.dag_id || '.' || t.task_id as name,
           case t.state when 'queued' then t.queued_dttm else t.scheduled_dttm end as ready_at
    from task_instance t join dag d using (dag_id)
    where t.state in ('scheduled', 'queued') and not d.is_paused
)
select pool, count(*), min(ready_at), (array_agg(name order by ready_at))[1]
from waiting
where ready_at < %(before)s and not exists (
    select 1 from task_instance other
    where other.pool = waiting.pool and (other.state = 'running' or other.start_date >= %(before)s)
)
group by pool
order by pool
