delete from quarantine.subscribers where snapshot_id = any(%(going)s)
