select max(window_end) from ops.retrain_requests where window_end < %s
