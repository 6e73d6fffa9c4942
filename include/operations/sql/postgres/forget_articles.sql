delete from quarantine.articles where run_id like any(%(runs)s)
