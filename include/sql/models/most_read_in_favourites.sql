-- Most read lately within the categories the reader spends time in, without what the reader has read.
with popular as (
    select list_at, article_id, category,
           read_count_6h + 0.1 * read_count_1d + 0.001 * impression_count_1d as score
    from articles
    qualify row_number() over (partition by list_at order by score desc, published_at desc, article_id) <= $popular_depth
), taste as (
    select reader_id, list_at, unnest(categories) as category, unnest(category_shares) as share from readers
), scored as (
    select q.reader_id, q.list_at, p.article_id, p.category, p.score * (0.02 + coalesce(t.share, 0)) as score
    from requests q
    join popular p on p.list_at = q.list_at
    left join taste t on t.reader_id = q.reader_id and t.list_at = q.list_at and t.category = p.category
    where not exists (
        select 1 from reads r
        where r.reader_id = q.reader_id and r.article_id = p.article_id and r.read_at < q.list_at and r.known_at < q.list_at)
), ranked as (
    select *, row_number() over (partition by reader_id, list_at order by score desc, article_id) as rank from scored
)
select reader_id, list_at, rank, article_id, score, 'Read by many in ' || category as reason
from ranked where rank <= $depth
order by list_at, reader_id, rank
