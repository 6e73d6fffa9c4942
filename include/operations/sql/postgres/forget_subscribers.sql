delete from quarantine.subscribers where run_id like any(%(runs)s)
