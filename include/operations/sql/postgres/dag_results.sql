-- The last run of each DAG whose stages were all done, and the last one with a stage that failed; commands count for their
-- DAG, past days do not, and what a mode ended early is no success.
with runs as (
    select run_id, split_part(regexp_replace(run_id, '^cli/', ''), '/', 1) as dag, min(started_at) as started_at,
           max(finished_at) as finished_at, bool_and(status in ('done', 'skipped') and mode <> all(%(early)s)) as is_done,
           bool_or(status = 'failed') as is_failed
    from ops.runs
    where kind not in ('backfill', 'replay')
    group by run_id
)
select dag, max(finished_at) filter (where is_done) as worked_at, max(finished_at) filter (where is_failed) as failed_at,
       (array_agg(extract(epoch from finished_at - started_at) order by finished_at desc) filter (where is_done))[1]
           as worked_seconds,
       (array_agg(run_id order by finished_at desc) filter (where is_done))[1] as worked_run
from runs
where dag = any(%(dags)s)
group by dag
