insert into ops.holds (kind, version, until, reason, actor, set_at)
values (%(kind)s, %(version)s, %(until)s, %(reason)s, %(actor)s, %(set_at)s)
