select number, parameters, score, seconds from ops.tuning_trials where tuning_id = %s order by number
