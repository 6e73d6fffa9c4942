update ops.alerts set sent_at = now(), attempts = attempts + 1, last_error = null where alert_id = %(alert_id)s
