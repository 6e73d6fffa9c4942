-- Of two turns at once, the later one counts.
insert into ops.channels (channel, tried_at, worked_at, failure)
values (%(channel)s, %(moment)s, case when %(failure)s::text is null then %(moment)s::timestamptz end, %(failure)s)
on conflict (channel) do update
    set tried_at = excluded.tried_at, worked_at = coalesce(excluded.worked_at, ops.channels.worked_at),
        failure = excluded.failure
    where excluded.tried_at >= ops.channels.tried_at
