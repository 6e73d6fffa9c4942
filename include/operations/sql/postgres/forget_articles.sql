delete from quarantine.articles where run_id like %(runs)s
