-- The end of the last successful run of `monitor` for readers, and whether it is paused; no row before the first.
select max(r.end_date), d.is_paused
from dag d join dag_run r using (dag_id)
where d.dag_id = 'monitor' and r.state = 'success' and r.run_type <> 'backfill' and r.end_date is not null
group by d.is_paused
