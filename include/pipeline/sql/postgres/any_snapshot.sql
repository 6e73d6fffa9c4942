select 1 from ops.snapshots limit 1
