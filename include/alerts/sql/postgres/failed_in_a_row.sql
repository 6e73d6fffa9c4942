-- Runs of a DAG that failed since it last worked itself, whatever the causes and whoever ended their incidents.
select count(distinct run_id) from ops.incident_runs where dag_id = %(dag_id)s and kind = 'live' and worked_at is null
