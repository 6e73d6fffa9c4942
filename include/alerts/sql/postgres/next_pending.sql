-- The next alert to mail that no other delivery has locked. Alerts with the fewest attempts come first, so that one that
-- the server refuses cannot hold up the rest; answers raised since a moment wait for the first mail of their thread.
select a.alert_id, a.incident, a.severity, a.subject, a.body, a.thread
from ops.alerts a
left join ops.alerts opening
    on opening.incident = a.thread and opening.sent_at is null and a.raised_at > %(waits_since)s
where a.sent_at is null
order by greatest(a.attempts, opening.attempts), a.alert_id
limit 1
for update of a skip locked
