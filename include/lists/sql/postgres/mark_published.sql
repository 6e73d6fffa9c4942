update recs.batches set published_at = now() where batch_id = %(batch_id)s and status = 'audited' returning batch_id
