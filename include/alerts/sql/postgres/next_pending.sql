-- The next alert to mail that nobody else is mailing. Those tried least come first, so that one which the server
-- will not take cannot hold up the rest.
select alert_id, incident, severity, subject, body
from ops.alerts
where sent_at is null
order by attempts, alert_id
limit 1
for update skip locked
