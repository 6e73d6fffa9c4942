-- The pairs, ranked by recent co-readers of the reader's own articles, then by all recent readers.
with counted as (
    select list_at, article_id, count(*) as readers from recent group by all
), readers as (
    select *, 1 + max(readers) over (partition by list_at) as more_than_any from counted
)
select p.reader_id, p.list_at, p.article_id,
       coalesce(c.readers, 0) + coalesce(n.readers / n.more_than_any, 0) as score,
       row_number() over (partition by p.reader_id, p.list_at order by score desc, a.published_at desc, p.article_id)
           as rank,
       case when c.readers > 0 then 'Read by those who read what you read' else 'Read by many right now' end as reason
from pairs p
join articles a on a.list_at = p.list_at and a.article_id = p.article_id
left join together c on c.reader_id = p.reader_id and c.list_at = p.list_at and c.article_id = p.article_id
left join readers n on n.list_at = p.list_at and n.article_id = p.article_id
qualify rank <= $depth
order by p.list_at, p.reader_id, rank
