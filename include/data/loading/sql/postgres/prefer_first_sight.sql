-- Times of publishing that lie after the first event give way to it.
update loaded.articles set published_at = null, ingested_at = null where published_at > first_seen_at
