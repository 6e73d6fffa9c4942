-- How the times of happening and arrival relate in the newest events before a moment.
select count(*) as events,
       count(*) filter (where ingested_at < occurred_at - interval '5 minutes') as arrived_before,
       extract(epoch from percentile_cont(0.5) within group (order by ingested_at - occurred_at)) as median_lag_seconds,
       extract(epoch from percentile_cont(0.05) within group (order by ingested_at - occurred_at)) as least_lag_seconds
from (select occurred_at, ingested_at from {reading_events}
      where occurred_at < %(moment)s order by occurred_at desc limit 20000) newest
