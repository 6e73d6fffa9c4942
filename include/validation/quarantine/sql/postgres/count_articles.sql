select count(distinct (file_sha256, row_no)) from quarantine.articles where snapshot_id = %s
