-- Articles that could be read in the window: published in it or shortly before, or older and read in it.
-- Two branches, for a subquery under OR would be searched anew for every old article; `(select …)` is computed once.
-- Order and a limit that is none keep the planner, as in reading_events.sql, on the index of the events' window: it would
-- read every event there ever was.
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from source.articles
where published_at >= current_setting('daybreak.articles_start')::timestamptz
  and published_at < current_setting('daybreak.window_end')::timestamptz
  and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
union all
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from source.articles
where published_at < current_setting('daybreak.articles_start')::timestamptz
  and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
  and article_id in (
      select e.article_id from source.reading_events e
      where e.occurred_at >= current_setting('daybreak.window_start')::timestamptz
        and e.occurred_at < current_setting('daybreak.window_end')::timestamptz
      order by e.occurred_at
      limit (select null::bigint))
order by published_at, article_id, ingested_at
