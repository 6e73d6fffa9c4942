select max(until_at) from ops.landings where told_at is not null and until_at <= %(moment)s
