select run_id from ops.runs where stage = 'report_backfill' and status = 'done' and run_id = any(%(run_ids)s)
