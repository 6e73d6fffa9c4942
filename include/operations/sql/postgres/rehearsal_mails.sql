-- Mails of a rehearsal that were sent, or that the mail server did not take at their first try; newest first.
select a.subject from ops.alerts a join ops.deliveries d using (alert_id)
where d.channel = 'mail' and a.raised_at >= %(since)s and a.subject like '%% Rehearsal: %%'
  and case when %(had_to_wait)s then d.attempts > (d.sent_at is not null)::int else d.sent_at is not null end
order by a.alert_id desc
