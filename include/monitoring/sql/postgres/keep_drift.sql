insert into ops.drift (window_end, model_version, subject, method, observed, limit_is, is_drifted)
values (%(window_end)s, %(model_version)s, %(subject)s, %(method)s, %(observed)s, %(limit_is)s, %(is_drifted)s)
on conflict (window_end, model_version, subject) do update
    set method = excluded.method, observed = excluded.observed, limit_is = excluded.limit_is,
        is_drifted = excluded.is_drifted, measured_at = now()
