-- The articles that were out and known before the moment.
select * from all_articles where published_at < $moment and ingested_at < $moment
