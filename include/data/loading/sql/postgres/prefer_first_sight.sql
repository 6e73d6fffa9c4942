-- Remove times of publishing later than the first event, which then counts instead.
update loaded.articles set published_at = null, ingested_at = null where published_at > first_seen_at
