-- The newest version as of a moment, with its snapshot.
select version, snapshot_id from ops.models where as_of <= %s and removed_at is null
order by as_of desc, version desc limit 1
