-- The largest distance seen by each comparison, and the number of its runs.
select code, max(observed), count(distinct run_id)
from ops.checks
where code ~ '^(ANO|SKW)' and observed is not null
group by code
