-- The contents that snapshots hold, but for those that go.
select distinct sha256 from ops.snapshot_days where snapshot_id <> all(%(going)s)
