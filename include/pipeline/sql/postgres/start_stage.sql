insert into ops.runs (run_id, stage, as_of, status, started_at, kind, mode, actor, reason, form)
values (%(run_id)s, %(stage)s, %(as_of)s, 'running', %(started_at)s, %(kind)s, %(mode)s, %(actor)s, %(reason)s,
        %(form)s)
on conflict (run_id, stage) do update
    set status = 'running', as_of = excluded.as_of, started_at = excluded.started_at,
        finished_at = null, seconds = null, peak_mb = null, cpu_seconds = null, reference = null, error = null,
        kind = excluded.kind, mode = excluded.mode, actor = excluded.actor, reason = excluded.reason,
        form = excluded.form
