-- True if the current champion made the batch, or any model while there is no champion.
select (select version from ops.champions order by seq desc limit 1) is null
    or b.model_version is not distinct from (select version from ops.champions order by seq desc limit 1)
from recs.batches b where b.batch_id = %s
