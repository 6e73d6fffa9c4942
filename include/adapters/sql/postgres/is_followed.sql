-- Whether an event that happened after a moment has arrived. One dated ahead of its own arrival proves nothing, nor does
-- one that says it arrives after 2100.
select exists (
    select from source.reading_events
    where occurred_at >= %(window_end)s and ingested_at >= %(window_end)s
      and occurred_at <= ingested_at + interval '5 minutes' and ingested_at < timestamptz '2100-01-01 00:00Z')
