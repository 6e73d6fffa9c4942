-- The articles published and received before the moment.
select * from all_articles where published_at < $moment and ingested_at < $moment
