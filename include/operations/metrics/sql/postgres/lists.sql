-- The live batch, and how many of its lists are full as its audit counted them.
select b.as_of, l.stale_after_minutes, b.readers, full_lists.observed, coalesce(b.model_version, 0)
from recs.live l
join recs.batches b using (batch_id)
left join ops.checks full_lists on full_lists.run_id = b.run_id and full_lists.stage = 'audit'
    and full_lists.subject = 'lists' and full_lists.code = 'PB102'
