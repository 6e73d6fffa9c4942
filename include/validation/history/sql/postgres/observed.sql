-- The largest distance that each comparison has seen, and in how many runs.
select code, max(observed), count(distinct run_id)
from ops.checks
where code ~ '^(ANO|SKW)' and observed is not null
group by code
