-- The newest published batch that is at least a day older than the live one and still has its rows.
select b.batch_id, b.as_of
from recs.batches b
where b.published_at is not null
  and b.as_of <= (select l.as_of - interval '1 day' from recs.live join recs.batches l using (batch_id))
  and exists (select from recs.recommendations r where r.batch_id = b.batch_id)
order by b.as_of desc
limit 1
