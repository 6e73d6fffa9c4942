-- DAGs with a run that goes on or is about to; each runs one at a time, so the next one waits for it.
select distinct dag_id from dag_run where state in ('queued', 'running') and run_type <> 'backfill'
