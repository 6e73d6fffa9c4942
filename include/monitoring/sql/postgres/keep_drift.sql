insert into ops.drift (window_end, model_version, subject, method, observed, limit_is, is_drifted, name, usual, row_count)
values (%(window_end)s, %(model_version)s, %(subject)s, %(method)s, %(observed)s, %(limit_is)s, %(is_drifted)s, %(name)s,
        %(usual)s, %(row_count)s)
on conflict (window_end, model_version, subject) do update
    set method = excluded.method, observed = excluded.observed, limit_is = excluded.limit_is,
        is_drifted = excluded.is_drifted, name = excluded.name, usual = excluded.usual, row_count = excluded.row_count,
        measured_at = now()
