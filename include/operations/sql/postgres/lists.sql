-- The live batch, with the number of readers that have a full list.
select b.batch_id, b.as_of as generated_at, b.model_version, b.baseline, b.list_length,
       count(*) as readers,
       count(*) filter (where places = b.list_length) as readers_with_ten,
       now() - b.as_of > make_interval(mins => min(l.stale_after_minutes)) as is_stale
from recs.live l
join recs.batches b using (batch_id)
join (select batch_id, reader_id, count(*) as places from recs.recommendations group by batch_id, reader_id) r
     using (batch_id)
group by b.batch_id
