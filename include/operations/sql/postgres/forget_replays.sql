delete from quarantine.replays where run_id like any(%(runs)s)
