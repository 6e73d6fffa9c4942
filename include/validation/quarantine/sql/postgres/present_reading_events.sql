-- The view's present rows under these keys. Times beyond what most programs can hold become the first or last they can,
-- as the extract brings them.
select event_id, reader_id, article_id, kind, dwell_seconds, position, surface, batch_id, session_id,
       case when occurred_at is not null then least(greatest(occurred_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as occurred_at,
       case when ingested_at is not null then least(greatest(ingested_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as ingested_at
from {reading_events}
where event_id = any(%(keys)s) and occurred_at >= %(window_start)s and occurred_at < %(window_end)s
