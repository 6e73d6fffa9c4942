-- Whether the batch is by the present champion; before the first promotion anybody's may be shown.
select coalesce(b.model_version = (select version from ops.champions order by seq desc limit 1), true)
from recs.batches b where b.batch_id = %s
