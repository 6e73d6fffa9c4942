-- The last time that each stage of each DAG was done.
select distinct on (dag, stage) dag, stage, finished_at, seconds, cpu_seconds, peak_mb * 1048576,
       case when jsonb_typeof(facts -> 'rows') = 'number' then (facts ->> 'rows')::double precision
            when facts ? 'reading_events' then (facts ->> 'reading_events')::double precision
                + (facts ->> 'articles')::double precision + (facts ->> 'subscribers')::double precision
            else (facts ->> 'requests')::double precision end
from (select *, split_part(regexp_replace(run_id, '^cli/', ''), '/', 1) as dag, reference -> 'facts' as facts
      from ops.runs
      where started_at > %(since)s and status = 'done' and kind not in ('backfill', 'replay')) done
where dag = any(%(dags)s)
order by dag, stage, finished_at desc
limit 200
