select batch_id, model_version from recs.batches
where published_at is not null and as_of >= %s::timestamptz - interval '14 days'
