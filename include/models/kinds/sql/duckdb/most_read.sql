-- The most read articles of the last hours, the same for all readers.
select p.reader_id, p.list_at, p.article_id,
       a.read_count_6h + 0.1 * a.read_count_1d + 0.001 * a.impression_count_1d as score,
       row_number() over (partition by p.reader_id, p.list_at order by score desc, a.published_at desc, p.article_id)
           as rank,
       'Read by many right now' as reason
from pairs p
join articles a on a.list_at = p.list_at and a.article_id = p.article_id
qualify rank <= $depth
order by p.list_at, p.reader_id, rank
