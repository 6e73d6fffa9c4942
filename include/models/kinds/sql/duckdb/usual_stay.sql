-- The usual time of a read per word (as a logarithm), and the usual length of articles.
select coalesce(median(ln(r.read_seconds / greatest(coalesce(c.word_count, 500), 50))), 0.0) as stay,
       coalesce(median(c.word_count), 500.0) as words,
       count(*) > 0 as is_known
from reads r
join catalogue c on c.article_id = r.article_id
where r.read_seconds > 0 and r.read_at < $until
