-- The events that happened and were received before the moment, from `start` on.
select * from all_events
where occurred_at >= $start and occurred_at < $moment and ingested_at < $moment
