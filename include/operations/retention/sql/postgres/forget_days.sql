delete from ops.snapshot_days where snapshot_id = any(%(going)s)
