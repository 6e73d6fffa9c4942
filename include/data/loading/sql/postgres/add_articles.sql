-- Articles that are described for the first time; their first_seen_at from events stays.
insert into loaded.articles (article_id, title, summary, category, publisher, language, word_count, published_at,
                             ingested_at, updated_at, is_flagged, is_described)
select article_id, title, summary, category, publisher, language, word_count, published_at, ingested_at, updated_at,
       is_flagged, true
from loaded.draft_articles
on conflict (article_id) do update
    set title = excluded.title, summary = excluded.summary, category = excluded.category,
        publisher = excluded.publisher, language = excluded.language, word_count = excluded.word_count,
        published_at = excluded.published_at, ingested_at = excluded.ingested_at,
        updated_at = excluded.updated_at, is_flagged = excluded.is_flagged, is_described = true
    where not articles.is_described
