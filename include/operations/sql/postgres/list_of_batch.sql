select rank, article_id from recs.recommendations
where batch_id = %(batch_id)s and reader_id = %(reader_id)s
order by rank
