-- The median time of a stage's last runs, by DAG or command.
select percentile_cont(0.5) within group (order by seconds)
from (
    select seconds from ops.runs
    where stage = %(stage)s and status = 'done' and split_part(regexp_replace(run_id, '^cli/', ''), '/', 1) = %(kind)s
    order by finished_at desc
    limit 5
) last_runs
