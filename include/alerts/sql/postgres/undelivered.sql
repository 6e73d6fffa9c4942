-- The channels that alerts wait for, or whose last try failed.
with waiting as (
    select channel, count(*) as alerts, min(a.raised_at) as oldest
    from ops.deliveries d join ops.alerts a using (alert_id)
    where d.sent_at is null
    group by channel
)
select channel, coalesce(w.alerts, 0), w.oldest, c.failure, c.tried_at
from waiting w full join ops.channels c using (channel)
where channel = any(%(channels)s) and (w.alerts > 0 or c.failure is not null)
order by channel
