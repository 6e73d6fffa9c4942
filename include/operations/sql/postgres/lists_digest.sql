-- The live lists with a digest of every place in them, and the run that made them.
select b.batch_id, count(*), sum(hashtextextended((r.reader_id, r.rank, r.article_id)::text, 0)), b.run_id
from recs.live l join recs.batches b using (batch_id) join recs.recommendations r using (batch_id)
group by b.batch_id
