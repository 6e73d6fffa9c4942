select subject from ops.alerts
where raised_at >= %(since)s and subject like '%% Rehearsal: %%' and (sent_at is not null) = %(sent)s
order by alert_id desc
