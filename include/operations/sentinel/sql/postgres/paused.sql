select dag_id from dag where is_paused and not is_stale
