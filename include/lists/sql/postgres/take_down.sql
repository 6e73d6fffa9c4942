insert into ops.takedowns (article_id, reason, actor, taken_down_at)
values (%(article_id)s, %(reason)s, %(actor)s, %(moment)s)
on conflict (article_id) where lifted_at is null do nothing
returning takedown_id
