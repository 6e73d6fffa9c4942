-- Recipients and addresses that refused an alert, raised or given up since a moment, with the last answer.
select refused.recipient, count(*), max(a.raised_at), (array_agg(refused.answer order by a.raised_at desc))[1]
from ops.deliveries d join ops.alerts a using (alert_id), jsonb_each_text(d.refused) as refused (recipient, answer)
where greatest(a.raised_at, d.sent_at) >= %(since)s and d.channel = any(%(channels)s)
group by refused.recipient
order by refused.recipient
limit 20
