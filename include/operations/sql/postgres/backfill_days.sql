-- The moments of a backfill, oldest first, each with its run. Where Airflow made none because there was one already,
-- `left_as` says so, and the run is that one. Airflow cancels a run that waits by calling it failed, without an end. A
-- moment without a run is as far from its logical date as others of the DAG are.
select coalesce(
           r.data_interval_end, r.run_after,
           d.logical_date + coalesce(
               (select o.run_after - o.logical_date from dag_run o
                where o.dag_id = b.dag_id and o.run_type in ('scheduled', 'backfill')
                order by o.id desc limit 1),
               (select next_dagrun_create_after - next_dagrun from dag where dag_id = b.dag_id),
               interval '0')) as as_of,
       d.exception_reason as left_as, r.run_id,
       case when r.state = 'failed' and r.end_date is null then 'cancelled' else r.state end as state
from backfill_dag_run d
join backfill b on b.id = d.backfill_id
left join dag_run r
    on r.id = d.dag_run_id
    or d.dag_run_id is null and d.exception_reason is not null and r.dag_id = b.dag_id
       and r.logical_date = d.logical_date
where d.backfill_id = %(id)s
order by d.logical_date
