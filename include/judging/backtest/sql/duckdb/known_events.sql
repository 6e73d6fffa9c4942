-- What had happened and was known before the moment, no older than asked for.
select * from all_events
where occurred_at >= $start and occurred_at < $moment and ingested_at < $moment
