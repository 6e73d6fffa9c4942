-- The last run of each DAG whose stages were all done, and the last one with a stage that failed; commands count for their
-- DAG, past days do not, and what a mode ended early is no success.
with runs as (
    select split_part(regexp_replace(run_id, '^cli/', ''), '/', 1) as dag, min(started_at) as started_at,
           max(finished_at) as finished_at, bool_and(status in ('done', 'skipped') and mode <> all(%(early)s)) as is_done,
           bool_or(status = 'failed') as is_failed
    from ops.runs
    where started_at > %(since)s and kind not in ('backfill', 'replay')
    group by run_id
)
select dag, max(finished_at) filter (where is_done), max(finished_at) filter (where is_failed),
       (array_agg(extract(epoch from finished_at - started_at) order by finished_at desc) filter (where is_done))[1]
from runs
where dag = any(%(dags)s)
group by dag
