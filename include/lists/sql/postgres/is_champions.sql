-- True if the current champion made the batch; before the first promotion, any version's batch may go live.
select coalesce(b.model_version = (select version from ops.champions order by seq desc limit 1), true)
from recs.batches b where b.batch_id = %s
