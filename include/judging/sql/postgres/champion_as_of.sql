select seq, version, at from ops.champions where at <= %s order by seq desc limit 1
