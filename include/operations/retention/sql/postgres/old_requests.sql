delete from ops.retrain_requests where requested_at < %(before)s
