insert into ops.retrain_requests (window_end, reason) values (%(window_end)s, %(reason)s)
on conflict (window_end) do update set reason = excluded.reason
