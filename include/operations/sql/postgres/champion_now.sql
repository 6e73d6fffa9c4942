select version, run_id from ops.champions order by seq desc limit 1
