-- Most read lately, for everybody, without what the reader has read.
with popular as (
    select list_at, article_id, read_count_6h + 0.1 * read_count_1d + 0.001 * impression_count_1d as score
    from articles
    qualify row_number() over (partition by list_at order by score desc, published_at desc, article_id) <= $popular_depth
), ranked as (
    select q.reader_id, q.list_at, p.article_id, p.score,
           row_number() over (partition by q.reader_id, q.list_at order by p.score desc, p.article_id) as rank
    from requests q
    join popular p on p.list_at = q.list_at
    where not exists (
        select 1 from reads r
        where r.reader_id = q.reader_id and r.article_id = p.article_id and r.read_at < q.list_at and r.known_at < q.list_at)
)
select reader_id, list_at, rank, article_id, score, 'Read by many right now' as reason
from ranked where rank <= $depth
order by list_at, reader_id, rank
