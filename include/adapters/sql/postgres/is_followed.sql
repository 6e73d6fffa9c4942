-- True if an event from after the window has arrived. An event dated later than its own arrival, or with an arrival after
-- 2100, proves nothing.
select exists (
    select from {reading_events}
    where occurred_at >= %(window_end)s and ingested_at >= %(window_end)s
      and occurred_at <= ingested_at + interval '5 minutes' and ingested_at < timestamptz '2100-01-01 00:00Z')
