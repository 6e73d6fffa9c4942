-- Articles by publisher and by category, per span of 24 hours counted back from the run's moment.
-- Older articles than the snapshot holds in full count as one span further back, so that their names are known.
with spans as (
    select publisher, category,
           case when published_at >= $since
                then ((epoch_us($as_of::timestamptz) - epoch_us(published_at) - 1) // 86400000000)::integer
                else $span_count end as days_back
    from articles
    where published_at < $as_of
)
select dimension, left(name, 80) as name, days_back, count(*) as n
from (unpivot spans on publisher, category into name dimension value name)
group by all
order by all
