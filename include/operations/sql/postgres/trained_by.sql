select run_id from ops.models where version = %s
