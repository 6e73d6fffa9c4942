-- The live batch, with its readers as its writing recorded them, and those with a full list as its audit did; an audit
-- that left no record gives null. Its rows are not counted again.
select b.batch_id, b.as_of as generated_at, b.model_version, b.baseline, b.list_length, b.readers,
       full_lists.observed::bigint as readers_with_ten,
       now() - b.as_of > make_interval(mins => l.stale_after_minutes) as is_stale
from recs.live l
join recs.batches b using (batch_id)
left join ops.checks full_lists on full_lists.run_id = b.run_id and full_lists.stage = 'audit'
    and full_lists.subject = 'lists' and full_lists.code = 'PB102'
