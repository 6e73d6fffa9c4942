-- Articles that could be read in the window: published in it or shortly before, or older and read in it.
-- `read_articles` was collected from the events, so they are not scanned twice. `(select …)` is computed once. There are
-- two branches because a subquery under OR would be searched again for every old article.
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from {articles}
where published_at >= current_setting('daybreak.articles_start')::timestamptz
  and published_at < current_setting('daybreak.window_end')::timestamptz
  and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
union all
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from {articles}
where published_at < current_setting('daybreak.articles_start')::timestamptz
  and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
  and article_id in (select unnest(current_setting('daybreak.read_articles')::bigint[]))
order by published_at, article_id, ingested_at
