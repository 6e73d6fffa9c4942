delete from quarantine.reading_events where snapshot_id = %s
