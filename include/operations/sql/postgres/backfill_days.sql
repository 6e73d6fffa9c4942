-- The moments of a backfill, oldest first, each with its run. Where Airflow made none because there was one already,
-- `left_as` says so, and the run is that one.
select coalesce(r.data_interval_end, r.run_after, d.logical_date) as as_of, d.exception_reason as left_as, r.run_id, r.state
from backfill_dag_run d
join backfill b on b.id = d.backfill_id
left join dag_run r
    on r.id = d.dag_run_id
    or d.dag_run_id is null and d.exception_reason is not null and r.dag_id = b.dag_id
       and r.logical_date = d.logical_date
where d.backfill_id = %(id)s
order by d.logical_date
