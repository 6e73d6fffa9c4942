-- Articles that a list may contain or a reader may have read: fresh ones, and those with an event in this log.
select a.article_id, a.title, a.summary, a.category, a.publisher, a.language, a.word_count, a.published_at, a.ingested_at,
       a.is_flagged
from articles a
where a.published_at >= $as_of - to_hours($fresh_hours)
   or exists (select 1 from reading_events e where e.article_id = a.article_id)
order by a.article_id
