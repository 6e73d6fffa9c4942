select b.batch_id, b.as_of, b.model_version, b.published_at, b.baseline
from recs.live l join recs.batches b using (batch_id)
