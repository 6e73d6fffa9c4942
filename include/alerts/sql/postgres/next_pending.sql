-- The next alert for a channel that no other process is delivering. Alerts with the fewest attempts come first, so that
-- one that the receiver refuses cannot hold up the rest; answers raised since a moment wait for the first one of their
-- thread.
select a.alert_id, a.raised_at, d.refused, a.incident, a.severity, a.subject, a.body, a.thread, a.facts
from ops.deliveries d
join ops.alerts a using (alert_id)
left join (ops.alerts first join ops.deliveries opening using (alert_id))
    on first.incident = a.thread and opening.channel = d.channel and opening.sent_at is null
    and a.raised_at > %(waits_since)s
where d.channel = %(channel)s and d.sent_at is null and d.alert_id <> all(%(tried)s::bigint[])
order by greatest(d.attempts, opening.attempts), a.alert_id
limit 1
for update of d skip locked
