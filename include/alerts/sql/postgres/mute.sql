insert into ops.mutes (cause, subject, until, reason, actor, muted_at)
values (%(cause)s, %(subject)s, %(muted_until)s, %(mute_reason)s, %(muted_by)s, %(muted_at)s)
on conflict (cause, subject) do update
set until = excluded.until, reason = excluded.reason, actor = excluded.actor, muted_at = excluded.muted_at
