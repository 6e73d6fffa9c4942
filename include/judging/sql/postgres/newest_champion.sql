-- The champion is the newest row of the ledger.
select seq, version, from_version, action, why, actor, verdict_id, run_id, snapshot_id, at
from ops.champions order by seq desc limit 1
