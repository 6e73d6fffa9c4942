-- Alerts raised since a moment, newest first.
select incident, severity, subject, raised_at, sent_at, last_error
from ops.alerts
where raised_at > %(since)s
order by raised_at desc
limit 10
