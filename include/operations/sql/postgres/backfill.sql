-- A backfill as Airflow has it.
select dag_id, triggering_user_name as actor, created_at, completed_at, dag_run_conf as form
from backfill
where id = %(id)s
