delete from quarantine.subscribers where run_id like %(runs)s
