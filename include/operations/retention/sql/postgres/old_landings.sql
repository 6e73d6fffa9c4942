-- Old moments up to which data have landed, but for the newest that a run took: what was told before it starts no run.
delete from ops.landings
where until_at < %(before)s and until_at < (select max(until_at) from ops.landings where run_id is not null)
