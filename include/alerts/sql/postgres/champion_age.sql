select version, coalesce(m.trained_until, m.as_of)
from ops.champions c join ops.models m using (version)
order by c.seq desc limit 1
