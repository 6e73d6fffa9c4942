-- The stages of one run, in the order in which they began.
select stage, as_of, kind, mode, actor, reason, form, status, started_at, finished_at, seconds, peak_mb, error,
       reference ->> 'id' as id, coalesce(reference -> 'facts', '{}') as facts
from ops.runs
where run_id = %(run_id)s
order by started_at
