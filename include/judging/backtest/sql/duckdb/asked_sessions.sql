-- The sessions that end in the step after a moment, each with its last article as the answer: all, or a random sample.
select f.reader_id as who_id, f.session_id, f.sitting_no, f.article_id, f.read_at as asked_at, m.list_at
from first_reads f
asof join moments m on f.read_at >= m.list_at
where f.is_asked_for and f.read_at < m.list_at + $every
qualify row_number() over (
    partition by m.list_at order by hash(f.reader_id, f.read_at, $seed), f.reader_id, f.article_id) <= $sample
order by m.list_at, f.read_at, f.reader_id, f.article_id
