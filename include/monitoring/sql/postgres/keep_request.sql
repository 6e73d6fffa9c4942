insert into ops.retrain_requests (window_end, reason, columns) values (%(window_end)s, %(reason)s, %(columns)s)
on conflict (window_end) do update set reason = excluded.reason, columns = excluded.columns
