insert into ops.tunings (tuning_id, model, as_of, snapshot_id, run_id)
values (%(tuning_id)s, %(model)s, %(as_of)s, %(snapshot_id)s, %(run_id)s)
on conflict (tuning_id) do nothing
