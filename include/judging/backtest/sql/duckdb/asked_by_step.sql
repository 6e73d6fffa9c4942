-- The sessions that end in each step and their last articles, as a sum of hashes, because the order of rows is undefined.
select (epoch_us(f.read_at) - epoch_us($start)) // $every_us as step_no, count(*), sum(hash(f)::hugeint)
from (select reader_id, session_id, sitting_no, article_id, read_at
      from first_reads
      where is_asked_for and read_at >= $start and read_at < $end) f
group by step_no
