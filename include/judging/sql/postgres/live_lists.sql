select reader_id, article_id from recs.recommendations where batch_id = %(batch_id)s and reader_id = any(%(readers)s)
