-- A recipient of whom the mail server said "later" keeps it waiting.
update ops.deliveries
set sent_at = case when %(is_sent)s then now() end, attempts = attempts + 1, last_error = null, refused = %(refused)s
where alert_id = %(alert_id)s and channel = %(channel)s
