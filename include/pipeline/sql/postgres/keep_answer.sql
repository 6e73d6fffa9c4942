-- The first answer counts.
insert into ops.answers (verdict_id, answer, actor, answered_at, reason)
values (%(verdict_id)s, %(answer)s, %(actor)s, %(answered_at)s, %(reason)s)
on conflict (verdict_id) do nothing
returning verdict_id
