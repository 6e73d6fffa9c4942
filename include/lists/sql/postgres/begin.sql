-- Begin a batch. Writing it again starts over, unless it has been published.
insert into recs.batches (batch_id, as_of, model_version, baseline, snapshot_id, run_id, list_length, status)
values (%(batch_id)s, %(as_of)s, %(model_version)s, %(baseline)s, %(snapshot_id)s, %(run_id)s, %(list_length)s,
        'writing')
on conflict (batch_id) do update
    set status = 'writing', run_id = excluded.run_id, written_at = now()
    where recs.batches.published_at is null
returning batch_id
