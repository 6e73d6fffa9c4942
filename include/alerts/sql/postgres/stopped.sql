select jsonb_object_agg(dag_id, runs)
from (select dag_id, count(*) as runs from ops.incident_runs where incident_id = %s group by dag_id) by_dag
