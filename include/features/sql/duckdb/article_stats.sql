-- The figures of each live article, as known at the moment: those that were seen in the last day or are still fresh.
-- In a log without reads, clicks are reads. Times are summed in whole milliseconds, because a sum of fractions depends
-- on the order of its rows.
with live as (
    select m.list_at, a.article_id, a.published_at
    from articles a
    join moments m on a.published_at < m.list_at and a.ingested_at < m.list_at
                  and a.published_at >= m.list_at - to_hours($article_max_age_hours)
    where not a.is_flagged
), doing as (
    select m.list_at, e.article_id,
           count(*) filter (where e.kind = 'impression') as impression_count_1d,
           count(*) filter (where e.kind = 'click') as click_count_1d,
           count(*) filter (where e.kind = $read_kind) as read_count_1d,
           count(*) filter (where e.kind = $read_kind and e.occurred_at >= m.list_at - interval 6 hour) as read_count_6h,
           count(*) filter (where e.kind = $read_kind and e.occurred_at >= m.list_at - interval 3 hour) as read_count_3h,
           count(*) filter (where e.kind = $read_kind and e.occurred_at >= m.list_at - interval 1 hour) as read_count_1h,
           sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = $read_kind) as read_ms_1d
    from reading_events e
    join moments m on e.occurred_at < m.list_at and e.ingested_at < m.list_at and e.occurred_at >= m.list_at - interval 1 day
    where e.occurred_at >= $since::timestamptz - interval 1 day
    group by all
)
select l.article_id, l.list_at as event_timestamp,
       coalesce(d.impression_count_1d, 0) as impression_count_1d,
       greatest(coalesce(d.click_count_1d, 0), coalesce(d.read_count_1d, 0)) as click_count_1d,
       coalesce(d.read_count_1d, 0) as read_count_1d,
       coalesce(d.read_count_6h, 0) as read_count_6h,
       coalesce(d.read_count_3h, 0) as read_count_3h,
       coalesce(d.read_count_1h, 0) as read_count_1h,
       coalesce(d.read_ms_1d, 0)::double / 1000 as read_seconds_1d
from live l
left join doing d on d.list_at = l.list_at and d.article_id = l.article_id
where d.article_id is not null or l.published_at >= l.list_at - to_hours($fresh_hours)
order by l.list_at, l.article_id
