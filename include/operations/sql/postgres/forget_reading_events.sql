delete from quarantine.reading_events where run_id like any(%(runs)s)
