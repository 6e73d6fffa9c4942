-- Articles read together with the reader's own, and the most read of the last hours, without those already read.
with popular as (
    select a.list_at, a.article_id
    from articles a
    left join (select list_at, article_id, count(*) as readers from recent group by all) n
           on n.list_at = a.list_at and n.article_id = a.article_id
    qualify row_number() over (
        partition by a.list_at order by n.readers desc nulls last, a.published_at desc, a.article_id) <= $popular_depth
), found as (
    select reader_id, list_at, article_id from together
    union
    select q.reader_id, q.list_at, p.article_id from requests q join popular p on p.list_at = q.list_at
)
select f.reader_id, f.list_at, f.article_id
from found f
where not exists (
    select 1 from reads r
    where r.reader_id = f.reader_id and r.article_id = f.article_id
      and r.read_at < f.list_at and r.known_at < f.list_at)
