select count(*) from recs.batches where run_id = %(run_id)s and published_at is not null
