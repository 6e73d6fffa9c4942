-- Articles read together with those that each request's reader read in the last two days: how closely, how recently and
-- in which order.
-- Millionths are summed, because a sum of fractions depends on the order of its rows.
with own as (
    select q.reader_id, q.list_at, r.article_id,
           exp(-date_diff('minute', r.read_at, q.list_at) / 60.0 / $together_hours) as recency,
           row_number() over (partition by q.reader_id, q.list_at order by r.read_at desc, r.article_id) as back
    from requests q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
                and r.read_at >= q.list_at - interval 2 day
), summed as (
    select o.reader_id, o.list_at, c.other_id as article_id,
           sum(round(1e6 * c.weight)::bigint) as closeness,
           sum(round(1e6 * c.together)::bigint) as nearness,
           sum(round(1e6 * c.weight * o.recency)::bigint)::double / 1e6 as co_read,
           max(c.weight) as co_read_strongest,
           sum(round(1e6 * c.together / o.back)::bigint)::double / 1e6 as read_together,
           sum(round(1e6 * c.together)::bigint) filter (where o.back = 1)::double / 1e6 as read_together_last,
           sum(round(1e6 * c.following)::bigint) filter (where o.back = 1)::double / 1e6 as following_last
    from own o
    join co_reads c on c.list_at = o.list_at and c.article_id = o.article_id
    group by all
)
select *, read_together / nullif(max(read_together) over (partition by reader_id, list_at), 0) as read_together_share
from summed
