-- The next alert to mail that no other delivery has locked. Alerts with the fewest attempts come first, so that one that
-- the server refuses cannot hold up the rest.
select alert_id, incident, severity, subject, body, thread
from ops.alerts
where sent_at is null
order by attempts, alert_id
limit 1
for update skip locked
