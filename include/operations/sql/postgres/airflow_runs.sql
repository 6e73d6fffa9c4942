-- Airflow's latest runs, newest first: of the named DAG, else of all but the demo's newsroom.
select dag_id, run_id, state, run_type, triggering_user_name as who, conf,
       coalesce(data_interval_end, run_after) as as_of, coalesce(start_date, queued_at, run_after) as started_at,
       end_date as ended_at
from dag_run
where dag_id = coalesce(%(name)s::text, dag_id) and (%(name)s::text is not null or dag_id <> 'newsroom')
order by started_at desc, id desc
limit %(limit)s
