select kind, version, until, reason, actor, set_at from ops.holds
where lifted_at is null and (until is null or until > %(moment)s) order by hold_id
