-- The next alert to mail that no other delivery has locked. Alerts with the fewest attempts come first, so that one that
-- the server refuses cannot hold up the rest; answers wait for the first mail of their thread for up to five attempts.
select a.alert_id, a.incident, a.severity, a.subject, a.body, a.thread
from ops.alerts a
left join ops.alerts opening on opening.incident = a.thread and opening.sent_at is null
where a.sent_at is null
order by greatest(a.attempts, least(coalesce(opening.attempts, 0), 5)), a.alert_id
limit 1
for update of a skip locked
