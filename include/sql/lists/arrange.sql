-- A list per request out of ranked articles: best first, but no publisher and no category above its cap while others
-- are left; filled up from what is popular, then from what is newest, so that nobody gets a short list while there are
-- articles. Whatever a model says, nobody gets what they had read, even if word of it came late.
with ranked as (
    select k.* exclude (rank),
           row_number() over (partition by k.reader_id, k.list_at order by k.rank) as rank
    from suggested k
    where not exists (
        select 1 from reads r
        where r.reader_id = k.reader_id and r.article_id = k.article_id and r.read_at < k.list_at)
), capped as (
    select k.reader_id, k.list_at, k.rank, k.article_id, k.score, k.reason,
           row_number() over (partition by k.reader_id, k.list_at, a.publisher order by k.rank) > $max_per_publisher
        or row_number() over (partition by k.reader_id, k.list_at, a.category order by k.rank) > $max_per_category
               as is_over_cap
    from ranked k
    join catalogue a on a.article_id = k.article_id
), short as (
    select q.reader_id, q.list_at
    from requests q
    left join ranked k on k.reader_id = q.reader_id and k.list_at = q.list_at
    group by all
    having count(k.article_id) < $list_length
), pool as (
    select m.list_at, c.article_id, c.published_at, s.read_count_1d,
           c.published_at >= m.list_at - to_hours($article_max_age_hours) as is_recent
    from (select distinct list_at from short) m
    join catalogue c on c.published_at < m.list_at and c.ingested_at < m.list_at and not c.is_flagged
    left join articles s on s.list_at = m.list_at and s.article_id = c.article_id
    qualify row_number() over (
        partition by m.list_at
        order by is_recent desc, s.read_count_1d desc nulls last, c.published_at desc, c.article_id) <= $pool
), filling as (
    select s.reader_id, s.list_at,
           1000000 + row_number() over (
               partition by s.reader_id, s.list_at
               order by p.is_recent desc, p.read_count_1d desc nulls last, p.published_at desc, p.article_id) as rank,
           p.article_id, 0.0 as score,
           case when p.read_count_1d > 0 then 'Read by many right now' else 'Just in' end as reason,
           false as is_over_cap
    from short s
    join pool p on p.list_at = s.list_at
    where not exists (
            select 1 from reads r
            where r.reader_id = s.reader_id and r.article_id = p.article_id and r.read_at < s.list_at)
      and not exists (
            select 1 from ranked k
            where k.reader_id = s.reader_id and k.list_at = s.list_at and k.article_id = p.article_id)
), placed as (
    select reader_id, list_at, article_id, score, reason,
           row_number() over (partition by reader_id, list_at order by is_over_cap, rank) as place
    from (select * from capped union all by name select * from filling)
)
select reader_id, list_at, place::int as rank, article_id, score::float as score, reason
from placed where place <= $list_length
order by list_at, reader_id, rank
