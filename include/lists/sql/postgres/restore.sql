update recs.batches set published_at = coalesce(published_at, now())
where batch_id = %(batch_id)s and status = 'audited'
  and exists (select 1 from recs.recommendations r where r.batch_id = %(batch_id)s)
returning batch_id
