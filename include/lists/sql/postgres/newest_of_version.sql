-- The newest batch of a version that passed its audit and still has its rows.
select b.batch_id, b.as_of from recs.batches b
where b.model_version = %s and b.status = 'audited'
  and exists (select 1 from recs.recommendations r where r.batch_id = b.batch_id)
order by b.as_of desc, b.written_at desc limit 1
