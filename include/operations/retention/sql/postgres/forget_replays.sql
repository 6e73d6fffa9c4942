delete from quarantine.replays where snapshot_id = any(%(going)s)
