select * from source.subscribers
where reader_id = any(%(keys)s) and (signed_up_at < %(window_end)s or signed_up_at is null)
