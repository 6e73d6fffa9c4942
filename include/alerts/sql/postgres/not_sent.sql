update ops.deliveries set attempts = attempts + 1, last_error = %(error)s
where alert_id = %(alert_id)s and channel = %(channel)s
