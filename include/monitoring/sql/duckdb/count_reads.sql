select count(*) from reading_events
where kind = $read_kind and batch_id is null and occurred_at >= $since and occurred_at < $until
