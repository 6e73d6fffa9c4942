copy quarantine.reading_events (snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id, original) from stdin
