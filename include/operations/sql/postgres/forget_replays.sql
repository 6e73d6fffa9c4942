delete from quarantine.replays where run_id like %(runs)s
