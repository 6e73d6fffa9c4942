-- One run as Airflow has it.
select dag_id, run_id, state, run_type, triggering_user_name as who, conf,
       coalesce(data_interval_end, run_after) as as_of, coalesce(start_date, queued_at, run_after) as started_at,
       end_date as ended_at
from dag_run
where dag_id = %(dag_id)s and run_id = %(run_id)s
