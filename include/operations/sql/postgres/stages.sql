-- The stages of these runs, and of the latest commands, in the order in which they began.
with chosen as (
    select unnest(%(run_ids)s::text[]) as run_id
    union all
    (
        select run_id from ops.runs
        where run_id like 'cli/%%' and split_part(run_id, '/', 2) = coalesce(%(name)s::text, split_part(run_id, '/', 2))
        group by run_id
        order by min(started_at) desc
        limit %(limit)s
    )
)
select run_id, stage, as_of, kind, mode, actor, reason, status, started_at, finished_at, error, reference ->> 'id' as id,
       coalesce(reference -> 'facts', '{}') as facts
from ops.runs join chosen using (run_id)
order by started_at
