-- What the last validation of each DAG quarantined, by table and publisher.
select dag, facts -> 'quarantined_by'
from (select distinct on (dag) dag, facts
      from (select split_part(regexp_replace(run_id, '^cli/', ''), '/', 1) as dag, finished_at,
                   reference -> 'facts' as facts
            from ops.runs
            where stage = 'validate' and status = 'done' and started_at > %(since)s
              and kind not in ('backfill', 'replay')) done
      where dag = any(%(dags)s)
      order by dag, finished_at desc) newest
where facts ? 'quarantined_by'
