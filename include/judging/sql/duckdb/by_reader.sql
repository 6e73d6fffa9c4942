-- Per reader: the discounted reading time that the order gained, the most it could gain, and the share that the lists
-- held. A gain is the seconds read, capped; the ideal order has the longest read first. A read of unknown length counts
-- as one unit, because then no lengths are known.
with truth as (
    select reader_id, list_at, article_id, least(coalesce(read_seconds, 1), $longest_counted_seconds) as gain
    from outcomes where coalesce(read_seconds, 1) > 0
), ideal as (
    select reader_id, list_at, sum(gain / log2(place + 1)) as best, sum(gain) as seconds
    from (select *, row_number() over (partition by reader_id, list_at order by gain desc, article_id) as place from truth)
    where place <= $list_length
    group by all
), placed as (
    select o.reader_id, o.list_at, sum(t.gain / log2(o.rank + 1)) as got
    from ordered o
    join truth t on t.reader_id = o.reader_id and t.list_at = o.list_at and t.article_id = o.article_id
    where o.rank <= $list_length
    group by all
), reached as (
    select l.reader_id, l.list_at, count(*) as hits, sum(t.gain) as seconds
    from lists l
    join truth t on t.reader_id = l.reader_id and t.list_at = l.list_at and t.article_id = l.article_id
    group by all
)
select i.reader_id,
       sum(coalesce(p.got, 0)) as got,
       sum(i.best) as best,
       avg((coalesce(r.hits, 0) > 0)::int) as hit_share,
       avg(coalesce(r.seconds, 0)) as seconds_reached,
       avg(i.seconds) as seconds_read
from ideal i
left join placed p on p.reader_id = i.reader_id and p.list_at = i.list_at
left join reached r on r.reader_id = i.reader_id and r.list_at = i.list_at
group by i.reader_id
order by i.reader_id
