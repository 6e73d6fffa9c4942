-- The runs of the named DAGs since a moment: what each works as of, by its form if it says so, and how it ended.
select dag_id, coalesce(data_interval_end, run_after) as moment, conf ->> 'as_of' as asked, state
from dag_run
where dag_id = any(%(names)s) and (run_after >= %(since)s or data_interval_end >= %(since)s)
