select * from source.reading_events
where event_id = any(%(keys)s) and occurred_at >= %(window_start)s and occurred_at < %(window_end)s
