-- The newest snapshot of the same window; raw snapshots follow raw ones, clean ones follow clean ones.
select snapshot_id from ops.snapshots
where as_of = %(as_of)s and window_start = %(window_start)s and (parent_id is null) = (%(parent_id)s::text is null)
order by taken_at desc, snapshot_id limit 1
