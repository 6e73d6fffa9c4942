-- What each requested reader says about themselves, as the snapshot knows it.
select q.reader_id, q.list_at as event_timestamp, s.region, s.plan, s.interests,
       case when s.signed_up_at > timestamptz '1900-01-01 00:00Z'  -- PostgreSQL's -infinity is not DuckDB's
            then greatest(0, date_diff('hour', s.signed_up_at, q.list_at)) / 24.0 end as tenure_days
from requests q
join subscribers s on s.reader_id = q.reader_id
order by q.list_at, q.reader_id
