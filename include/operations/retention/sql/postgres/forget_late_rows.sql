delete from ops.late_rows where snapshot_id = any(%(going)s)
