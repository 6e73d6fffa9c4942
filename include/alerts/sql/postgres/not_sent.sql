update ops.alerts set attempts = attempts + 1, last_error = %(error)s where alert_id = %(alert_id)s
