delete from quarantine.articles where snapshot_id = %s
