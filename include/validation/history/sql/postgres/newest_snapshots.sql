select snapshot_id from ops.profiles order by as_of desc limit 1
