select count(distinct (file_sha256, row_no)) from quarantine.subscribers where snapshot_id = %s
