-- Arrange ranked articles into a list per request: best first, and no publisher or category above its cap while other
-- articles are left (a missing publisher or category has no cap). Gaps are filled with popular articles, then with the
-- newest, so lists are full as long as there are articles. Articles the reader has read are left out whatever the model
-- says, even if the read was recorded late.
with ranked as (
    select k.*, c.publisher, c.category, false as is_old
    from suggested k
    join catalogue c on c.article_id = k.article_id
    where not exists (
        select 1 from reads r
        where r.reader_id = k.reader_id and r.article_id = k.article_id and r.read_at < k.list_at)
), within as (
    select reader_id, list_at
    from (select *, row_number() over (partition by reader_id, list_at, category order by rank)
                        > $max_per_category and category is not null as is_over_category
          from ranked)
    where not is_over_category
    qualify publisher is null
         or row_number() over (partition by reader_id, list_at, publisher order by rank) <= $max_per_publisher
), short as (
    select q.reader_id, q.list_at
    from requests q
    left join within w on w.reader_id = q.reader_id and w.list_at = q.list_at
    group by all
    having count(w.reader_id) < $list_length
), pool as (
    select m.list_at, c.article_id, c.published_at, c.publisher, c.category, s.read_count_1d,
           c.published_at < m.list_at - to_hours($article_max_age_hours) as is_old
    from (select distinct list_at from short) m
    join catalogue c on c.published_at < m.list_at and c.ingested_at < m.list_at and not c.is_flagged
    left join articles s on s.list_at = m.list_at and s.article_id = c.article_id
    qualify row_number() over (
        partition by m.list_at
        order by is_old, s.read_count_1d desc nulls last, c.published_at desc, c.article_id) <= $pool
), filling as (
    select s.reader_id, s.list_at, p.article_id, p.publisher, p.category, p.is_old, 0.0 as score,
           1000000 + row_number() over (
               partition by s.reader_id, s.list_at
               order by p.is_old, p.read_count_1d desc nulls last, p.published_at desc, p.article_id) as rank,
           case when p.read_count_1d > 0 then 'Read by many right now' else 'Just in' end as reason
    from short s
    join pool p on p.list_at = s.list_at
    where not exists (
            select 1 from reads r
            where r.reader_id = s.reader_id and r.article_id = p.article_id and r.read_at < s.list_at)
      and not exists (
            select 1 from ranked k
            where k.reader_id = s.reader_id and k.list_at = s.list_at and k.article_id = p.article_id)
), sorted as (
    select *, row_number() over (partition by reader_id, list_at, category order by rank)
                  > $max_per_category and category is not null as is_over_category
    from (select * from ranked union all by name select * from filling)
), capped as (
    -- an article kept out by its category does not count towards its publisher's cap
    select *, is_over_category
           or row_number() over (partition by reader_id, list_at, publisher, is_over_category order by rank)
                  > $max_per_publisher and publisher is not null as is_over_cap
    from sorted
), placed as (
    select reader_id, list_at, article_id, score, reason,
           row_number() over (partition by reader_id, list_at order by is_old, is_over_cap, rank) as place
    from capped
)
select reader_id, list_at, place::int as rank, article_id, score::float as score, reason
from placed where place <= $list_length
order by list_at, reader_id, rank
