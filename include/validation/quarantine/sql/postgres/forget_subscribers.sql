delete from quarantine.subscribers where snapshot_id = %s
