select c.version, c.at, coalesce(m.trained_until, m.as_of)
from ops.champions c left join ops.models m using (version)
order by c.seq desc limit 1
