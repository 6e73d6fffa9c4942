-- The most read articles for every request, without those the reader has read.
with popular as (
    select list_at, article_id
    from articles
    qualify row_number() over (
        partition by list_at
        order by read_count_6h + 0.1 * read_count_1d + 0.001 * impression_count_1d desc, published_at desc, article_id)
        <= $popular_depth
)
select q.reader_id, q.list_at, p.article_id
from requests q
join popular p on p.list_at = q.list_at
where not exists (
    select 1 from reads r
    where r.reader_id = q.reader_id and r.article_id = p.article_id
      and r.read_at < q.list_at and r.known_at < q.list_at)
