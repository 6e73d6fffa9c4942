-- The days of backfills of the command line, in the order in which they began.
select run_id, min(as_of) as as_of, min(actor) as actor, min(started_at) as started_at, max(finished_at) as ended_at,
       (array_agg(form order by started_at))[1] as form
from ops.runs
where starts_with(run_id, %(prefix)s) and split_part(run_id, '/', 4) <> ''
group by run_id
order by started_at
