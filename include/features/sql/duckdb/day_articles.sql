-- The articles that a day sees: those that its events name, and those that a list at one of its moments could contain.
select article_id, category, publisher, language, published_at, ingested_at, is_flagged
from all_articles
where article_id in (select article_id from reading_events)
   or (published_at < $last and ingested_at < $last and published_at >= $first - to_hours($article_max_age_hours))
