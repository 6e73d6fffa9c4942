-- Per slice and reader: the reading time that two orders gained, and the most they could gain. A read of unknown length
-- counts as one unit, because then no lengths are known. A read belongs to the slices of its reader (region, tenure,
-- activity), of its article (category) and of its part of the hold-out (window).
-- Sums are of whole millionths, so the order of addition does not change them.
with truth as (
    select o.reader_id, o.list_at, o.article_id,
           least(coalesce(o.read_seconds, 1), $longest_counted_seconds) as gain,
           coalesce(a.category, 'unknown') as category,
           row_number() over (partition by o.reader_id, o.list_at order by gain desc, o.article_id) as place
    from outcomes o
    left join articles a on a.list_at = o.list_at and a.article_id = o.article_id
    where coalesce(o.read_seconds, 1) > 0
), reached as (
    select t.*,
           case when t.place <= $list_length then t.gain / log2(t.place + 1) else 0 end as best,
           case when u.rank <= $list_length then t.gain / log2(u.rank + 1) else 0 end as ours,
           case when v.rank <= $list_length then t.gain / log2(v.rank + 1) else 0 end as theirs
    from truth t
    left join ours u on u.reader_id = t.reader_id and u.list_at = t.list_at and u.article_id = t.article_id
    left join theirs v on v.reader_id = t.reader_id and v.list_at = t.list_at and v.article_id = t.article_id
), described as (
    select g.reader_id, g.ours, g.theirs, g.best, g.category, coalesce(r.region, 'unknown') as region,
           case when r.tenure_days is null then 'unknown'
                when r.tenure_days < $new_reader_days then 'new' else 'long-time' end as tenure,
           case when coalesce(r.read_count, 0) = 0 then 'no read lately'
                when r.read_count < $busy_reader_reads then 'some reads' else 'many reads' end as activity,
           'part ' || (1 + least($windows - 1, floor(
               date_diff('second', $holdout_start::timestamptz, g.list_at) * $windows / $holdout_seconds)))::int
               || ' of ' || $windows::int as part
    from reached g
    left join readers r on r.reader_id = g.reader_id and r.list_at = g.list_at
), named as (
    select 'region' as kind, region as name, * from described
    union all by name select 'readers' as kind, tenure as name, * from described
    union all by name select 'activity' as kind, activity as name, * from described
    union all by name select 'category' as kind, category as name, * from described
    union all by name select 'hold-out' as kind, part as name, * from described
)
select kind, name, reader_id,
       sum(round(1000000 * ours)::bigint)::double / 1000000 as ours,
       sum(round(1000000 * theirs)::bigint)::double / 1000000 as theirs,
       sum(round(1000000 * best)::bigint)::double / 1000000 as best
from named
group by all
order by kind, name, reader_id
