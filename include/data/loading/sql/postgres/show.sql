-- Create the three views of the contract over the loaded log.
drop view if exists source.reading_events, source.articles, source.subscribers, source.deliveries;
create view source.subscribers as
select reader_id, region, plan, coalesce(signed_up_at, first_seen_at) as signed_up_at, interests
from loaded.readers
where coalesce(signed_up_at, first_seen_at) is not null;
create view source.articles as
select article_id, title, summary, category, publisher, language, word_count,
       coalesce(published_at, first_seen_at) as published_at,
       coalesce(ingested_at, published_at, first_seen_at) as ingested_at,
       updated_at, coalesce(is_flagged, false) as is_flagged
from loaded.articles
where coalesce(published_at, first_seen_at) is not null;
create view source.reading_events as
select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position, surface, batch_id,
       session_id
from loaded.events
