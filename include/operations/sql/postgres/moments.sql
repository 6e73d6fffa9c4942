-- The runs of the named DAGs since a moment: what each works as of, by its form if it says so, when it ran and how it
-- ended; `is_scheduled` for those that the next scheduled run waits for; `fills_gap` unless a person started it to train
-- nothing. A backfill over nights that is to train nothing fills their gaps: Airflow would leave its runs as they are.
select dag_id, coalesce(data_interval_end, run_after) as moment, conf ->> 'as_of' as asked, state,
       run_type <> 'backfill' as is_scheduled,
       run_type = 'backfill' or coalesce(conf ->> 'mode', '') not in ('data', 'features') as fills_gap, start_date as started_at, end_date as ended_at
from dag_run
where dag_id = any(%(names)s) and (run_after >= %(since)s or data_interval_end >= %(since)s)
