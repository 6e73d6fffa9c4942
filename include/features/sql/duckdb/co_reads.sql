-- Pairs of articles that the same readers read in the day before the moment. `weight` is the closeness in time relative
-- to the readers of each article; `together` combines closeness and recency; `following` also counts how soon after the
-- first the second was read. Millionths are summed, because a sum of fractions depends on the order of its rows.
with recent as (
    select m.list_at, r.reader_id, r.article_id, r.read_at,
           exp(-date_diff('minute', r.read_at, m.list_at) / 60.0 / $lately_hours) as lately
    from reads r
    join moments m on r.read_at < m.list_at and r.known_at < m.list_at and r.read_at >= m.list_at - interval 1 day
    qualify row_number() over (partition by m.list_at, r.reader_id order by r.read_at desc, r.article_id) <= $most_reads
), placed as (
    select *, row_number() over (partition by list_at, reader_id order by read_at, article_id) as place from recent
), counts as (
    select list_at, article_id, count(*) as readers from recent group by all
), pairs as (
    select a.list_at, a.article_id, b.article_id as other_id,
           exp(-abs(date_diff('minute', a.read_at, b.read_at)) / 60.0 / $together_hours) as near,
           least(a.lately, b.lately) as lately,
           case when b.place > a.place then 1.0 / (b.place - a.place) else 0.0 end as soon
    from placed a
    join placed b on a.list_at = b.list_at and a.reader_id = b.reader_id and a.article_id <> b.article_id
), summed as (
    select list_at, article_id, other_id,
           sum(round(1e6 * near)::bigint)::double / 1e6 as near,
           sum(round(1e6 * near * lately)::bigint)::double / 1e6 as together,
           sum(round(1e6 * near * lately * soon)::bigint)::double / 1e6 as following
    from pairs group by all
)
select p.list_at, p.article_id, p.other_id,
       (p.near / sqrt((x.readers + $shrink) * (y.readers + $shrink)))::float as weight,
       p.together::float as together,
       p.following::float as following
from summed p
join counts x on x.list_at = p.list_at and x.article_id = p.article_id
join counts y on y.list_at = p.list_at and y.article_id = p.other_id
qualify row_number() over (partition by p.list_at, p.article_id order by weight desc, p.other_id) <= $most_others
     or row_number() over (partition by p.list_at, p.article_id order by p.together desc, p.other_id) <= $most_others
order by p.list_at, p.article_id, weight desc, p.other_id
