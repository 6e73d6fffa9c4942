-- The windows that later ones learn from and the requests made of them, with a digest, and the run of the newest.
with rows as (
    select window_end, d::text as row from ops.drift d
    union all select window_end, h::text from ops.health h
    union all select window_end, r::text from ops.retrain_requests r
)
select count(distinct window_end), coalesce(sum(hashtextextended(row, 0)), 0),
       (select min(run_id) from ops.runs
        where stage = 'watch' and as_of = (select max(window_end) from rows)) as run_id
from rows
