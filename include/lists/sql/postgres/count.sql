update recs.batches b
set readers = c.readers, row_count = c.row_count
from (select count(distinct reader_id) as readers, count(*) as row_count
      from recs.recommendations where batch_id = %(batch_id)s) c
where b.batch_id = %(batch_id)s
returning b.readers, b.row_count
