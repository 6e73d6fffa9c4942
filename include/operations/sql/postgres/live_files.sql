-- Where the files of the live lists lie, and the build of features they were made from.
select b.batch_id, r.reference ->> 'uri' as lists, r.reference -> 'facts' ->> 'features' as features
from recs.live l
join recs.batches b using (batch_id)
join ops.runs r on r.run_id = b.run_id and r.stage = 'write_batch' and r.status = 'done'
