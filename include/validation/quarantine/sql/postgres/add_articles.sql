insert into quarantine.articles (snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id, original)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
