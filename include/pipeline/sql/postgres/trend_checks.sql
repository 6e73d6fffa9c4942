-- The checks of the last moments before one, oldest first; if a moment has several runs, those of the last one.
select distinct on (c.code, c.subject, r.as_of) c.code, c.subject, r.as_of, c.observed, c.outcome
from ops.checks c
join ops.runs r on r.run_id = c.run_id and r.stage = c.stage
where c.stage = any(%(stages)s) and r.as_of in (
    select distinct as_of from ops.runs where stage = any(%(stages)s) and as_of < %(as_of)s
    order by as_of desc limit %(runs)s)
order by c.code, c.subject, r.as_of, c.checked_at desc
