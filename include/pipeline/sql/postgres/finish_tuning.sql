update ops.tunings set is_done = true where tuning_id = %s
