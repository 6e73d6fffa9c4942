select count(*) from ops.deliveries where sent_at is null and channel = any(%(channels)s)
