update recs.batches set status = %(status)s where batch_id = %(batch_id)s
