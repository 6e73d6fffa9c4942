-- Batches that are neither live nor young.
select b.batch_id from recs.batches b
where b.as_of < %(before)s and not exists (select 1 from recs.live l where l.batch_id = b.batch_id)
  and exists (select 1 from recs.recommendations r where r.batch_id = b.batch_id)
