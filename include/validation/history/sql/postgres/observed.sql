-- The largest distance seen by each comparison, and the number of its runs. Until `watch` took them over, `score` made
-- the checks on skew, by another measure.
select code, max(observed), count(distinct run_id)
from ops.checks
where code ~ '^(ANO|SKW)' and stage <> 'score' and observed is not null
group by code
