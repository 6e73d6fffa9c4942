-- Articles that could be read in the window: published in it or shortly before, or older and read in it.
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from source.articles a
where (published_at < current_setting('daybreak.window_end')::timestamptz or published_at is null)
  and (ingested_at < current_setting('daybreak.known_until')::timestamptz or ingested_at is null)
  and (published_at >= current_setting('daybreak.articles_start')::timestamptz or published_at is null
       or article_id in (
           select e.article_id from source.reading_events e
           where e.occurred_at >= current_setting('daybreak.window_start')::timestamptz
             and e.occurred_at < current_setting('daybreak.window_end')::timestamptz))
order by published_at, article_id
