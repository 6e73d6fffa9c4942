-- True if this run brought rows back in this version of the snapshot.
select exists (
    select from quarantine.replays
    where snapshot_id = %(snapshot)s and replayed_into = %(into)s and run_id = %(run_id)s)
