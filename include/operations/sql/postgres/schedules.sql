-- The present schedule of each named DAG, and since when it has run on it; null before the first run.
with schedules as (
    select dag_id, created_at, jsonb_path_query_first(data::jsonb, '$.dag.timetable.**.expression') #>> '{}' as cron
    from serialized_dag
    where dag_id = any(%(names)s)
), first_runs as (
    select dag_id, min(coalesce(data_interval_end, run_after)) as moment
    from dag_run
    where run_type = 'scheduled'
    group by dag_id
)
select distinct on (s.dag_id) s.dag_id, s.cron,
       case when f.moment is not null
            then greatest(f.moment, min(s.created_at) over (partition by s.dag_id, s.cron)) end as since
from schedules s left join first_runs f using (dag_id)
order by s.dag_id, s.created_at desc
