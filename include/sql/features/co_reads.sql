-- Which articles the same readers read in the day before the moment, closer in time counting more. Millionths are
-- summed, for a sum of fractions depends on the order of its rows.
with recent as (
    select m.list_at, r.reader_id, r.article_id, r.read_at
    from reads r
    join moments m on r.read_at < m.list_at and r.known_at < m.list_at and r.read_at >= m.list_at - interval 1 day
    qualify row_number() over (partition by m.list_at, r.reader_id order by r.read_at desc, r.article_id) <= $most_reads
), counts as (
    select list_at, article_id, count(*) as readers from recent group by all
), pairs as (
    select a.list_at, a.article_id, b.article_id as other_id,
           sum(round(1e6 * exp(-abs(date_diff('minute', a.read_at, b.read_at)) / 60.0 / $together_hours))::bigint)::double
               / 1e6 as together
    from recent a
    join recent b on a.list_at = b.list_at and a.reader_id = b.reader_id and a.article_id <> b.article_id
    group by all
)
select p.list_at, p.article_id, p.other_id,
       (p.together / sqrt((x.readers + $shrink) * (y.readers + $shrink)))::float as weight
from pairs p
join counts x on x.list_at = p.list_at and x.article_id = p.article_id
join counts y on y.list_at = p.list_at and y.article_id = p.other_id
qualify row_number() over (partition by p.list_at, p.article_id order by weight desc, p.other_id) <= $most_others
order by p.list_at, p.article_id, weight desc, p.other_id
