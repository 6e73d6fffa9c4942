-- The champion in force at a moment.
select seq, version, from_version, action, why, actor, verdict_id, run_id, snapshot_id, at
from ops.champions where at <= %s order by seq desc limit 1
