-- Per request: the ranks of the articles that were read afterwards. `best` is the gain of the ideal order.
with answers as (
    select reader_id, list_at, article_id,
           case when seconds is not null then least(seconds, $longest_counted_seconds) end as seconds
    from wanted
), ideal as (
    select reader_id, list_at, count(*) as wanted_count,
           list_sum(list_transform(range(1, least(count(*), $k) + 1), lambda i: 1 / log2(i + 1))) as best,
           sum(seconds / log2(place + 1)) filter (where place <= $k) as best_seconds
    from (select *, row_number() over (
                        partition by reader_id, list_at order by seconds desc nulls last, article_id) as place
          from answers)
    group by all
), got as (
    select o.reader_id, o.list_at, count(*) as hit_count, min(o.rank) as first_rank,
           sum(1 / log2(o.rank + 1)) as got, sum(a.seconds / log2(o.rank + 1)) as got_seconds
    from ordered o
    join answers a on a.reader_id = o.reader_id and a.list_at = o.list_at and a.article_id = o.article_id
    where o.rank <= $k
    group by all
)
select i.reader_id, i.list_at,
       i.wanted_count::int as wanted_count,
       coalesce(g.hit_count, 0)::int as hit_count,
       coalesce(g.first_rank, 0)::int as first_rank,
       coalesce(g.got, 0)::double as got, i.best::double as best,
       coalesce(g.got_seconds, 0)::double as got_seconds, coalesce(i.best_seconds, 0)::double as best_seconds
from ideal i
left join got g on g.reader_id = i.reader_id and g.list_at = i.list_at
order by i.list_at, i.reader_id
