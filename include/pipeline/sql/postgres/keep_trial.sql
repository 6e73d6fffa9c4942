insert into ops.tuning_trials (tuning_id, number, parameters, score, seconds)
values (%(tuning_id)s, %(number)s, %(parameters)s, %(score)s, %(seconds)s)
on conflict (tuning_id, number) do nothing
