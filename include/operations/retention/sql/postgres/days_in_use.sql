-- The contents that kept snapshots hold.
select distinct sha256 from ops.snapshot_days where snapshot_id <> all(%(going)s)
