delete from quarantine.articles where snapshot_id = any(%(going)s)
