-- What waits for each channel, and whether it took what it was last given; null if nothing was.
with waiting as (
    select channel, count(*) as alerts, min(a.raised_at) as oldest
    from ops.deliveries d join ops.alerts a using (alert_id)
    where d.sent_at is null
    group by channel
)
select channel, coalesce(w.alerts, 0), w.oldest, case when c.channel is not null then c.failure is null end
from unnest(%(channels)s::text[]) as one (channel)
left join waiting w using (channel)
left join ops.channels c using (channel)
