-- The rows with the facts about other tables and the window that rules need. A read may take fifteen minutes and
-- four seconds for every word of the article; more than four hours break another rule.
with related as (
    select r.*, s.reader_id is not null as is_reader_known, a.article_id is not null as is_article_known,
           coalesce(r.occurred_at >= a.published_at, true) as is_after_publishing,
           coalesce(not isfinite(r.dwell_seconds) or r.dwell_seconds > 14400
                        or r.dwell_seconds <= 900 + 4 * a.word_count, true) as is_dwell_fitting,
           coalesce(r.occurred_at < b.as_of, true) as is_before_end,
           coalesce(r.occurred_at >= b.window_start, true) as is_after_start
    from reading_events_rows r
    cross join bounds b
    left join (select distinct reader_id from subscribers) s on s.reader_id = r.reader_id
    left join (select article_id, min(published_at) as published_at, max(word_count) as word_count
               from articles group by article_id) a on a.article_id = r.article_id
)
select *, is_reader_known and is_article_known and is_after_publishing and is_dwell_fitting and is_before_end
          and is_after_start as is_related
from related
