insert into recs.live (batch_id, stale_after_minutes) values (%(batch_id)s, %(stale_after_minutes)s)
on conflict (only_row) do update
    set batch_id = excluded.batch_id, stale_after_minutes = excluded.stale_after_minutes
