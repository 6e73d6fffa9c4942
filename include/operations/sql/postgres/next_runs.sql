-- Each DAG with the moment of its next run, soonest first.
select dag_id as name, is_paused, case when not is_paused then next_dagrun_create_after end as next_at
from dag
where not is_stale
order by next_at nulls last, dag_id
