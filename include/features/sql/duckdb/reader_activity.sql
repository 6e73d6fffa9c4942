-- The recent reading of each requested reader, as known at the moment. Times are summed in whole milliseconds.
select q.reader_id, q.list_at as event_timestamp,
       count(*) filter (where e.kind = 'impression') as impression_count,
       count(*) filter (where e.kind = $read_kind) as read_count,
       count(*) filter (where e.kind = $read_kind and e.occurred_at >= q.list_at - interval 1 day) as read_count_1d,
       coalesce(sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = $read_kind), 0)::double / 1000 as read_seconds,
       sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = $read_kind)::double
           / 1000 / nullif(count(*) filter (where e.kind = $read_kind), 0) as mean_read_seconds,
       count(distinct e.occurred_at::date) filter (where e.kind = $read_kind) as active_day_count
from requests q
join subscribers s on s.reader_id = q.reader_id
left join reading_events e
       on e.reader_id = q.reader_id and e.occurred_at < q.list_at and e.ingested_at < q.list_at
      and e.occurred_at >= q.list_at - to_days($lookback_days)
group by q.reader_id, q.list_at
order by q.list_at, q.reader_id
