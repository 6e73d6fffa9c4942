delete from ops.snapshots where snapshot_id = any(%(going)s)
