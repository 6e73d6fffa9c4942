delete from ops.checks where run_id = %(run_id)s and stage = %(stage)s
