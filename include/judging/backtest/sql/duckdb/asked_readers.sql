-- The readers who read something new in the step after the moment: all, or a random sample.
select distinct f.reader_id, m.list_at
from first_reads f
join moments m on f.read_at >= m.list_at and f.read_at < m.list_at + $every
qualify dense_rank() over (partition by m.list_at order by hash(f.reader_id, $seed), f.reader_id) <= $sample
order by m.list_at, f.reader_id
