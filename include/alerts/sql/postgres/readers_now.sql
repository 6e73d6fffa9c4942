-- The live lists that readers see now, if there are any.
select b.batch_id, b.as_of, b.model_version, b.readers, l.stale_after_minutes, b.baseline
from recs.live l join recs.batches b using (batch_id)
