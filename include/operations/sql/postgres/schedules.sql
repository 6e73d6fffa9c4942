-- The schedule of each named DAG that has run on it, and the first moment of that schedule that Airflow still knows.
select distinct on (s.dag_id) s.dag_id,
       jsonb_path_query_first(s.data::jsonb, '$.dag.timetable.**.expression') #>> '{}' as cron,
       (select min(coalesce(r.data_interval_end, r.run_after)) from dag_run r
        where r.dag_id = s.dag_id and r.run_type = 'scheduled') as since
from serialized_dag s
where s.dag_id = any(%(names)s)
order by s.dag_id, s.created_at desc
