-- Whether an event that happened after a moment has arrived. One dated ahead of its own arrival proves nothing.
select exists (
    select from source.reading_events
    where occurred_at >= %(window_end)s and ingested_at >= %(window_end)s
      and occurred_at <= ingested_at + interval '5 minutes')
