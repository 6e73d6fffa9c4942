select count(distinct (file_sha256, row_no)) from quarantine.reading_events where snapshot_id = %s
