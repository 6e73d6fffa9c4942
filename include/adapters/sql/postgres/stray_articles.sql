-- Articles that no window would ever contain, for validation to quarantine: those without a time; those that arrived on
-- the window's last day and are dated more than `late_days` after their arrival; and, of any age, those that would never
-- count as arrived, or whose times of publishing and arrival are both implausible.
-- Branches and closed ranges as in stray_reading_events.sql.
with strays as (
    select * from {articles}
    where published_at is null
      and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
    union all
    select * from {articles}
    where ingested_at >= timestamptz '2100-01-01 00:00Z' and ingested_at <= timestamptz 'infinity'
    union all
    select * from {articles}
    where ingested_at >= timestamptz '-infinity' and ingested_at < timestamptz '1990-01-01 00:00Z'
      and (published_at < timestamptz '1990-01-01 00:00Z' or published_at >= timestamptz '2100-01-01 00:00Z')
      and (article_id in (select unnest(current_setting('daybreak.read_articles')::bigint[]))) is not true
    union all
    select * from {articles}
    where ingested_at is null
      and (published_at < timestamptz '1990-01-01 00:00Z' or published_at >= timestamptz '2100-01-01 00:00Z')
      and (article_id in (select unnest(current_setting('daybreak.read_articles')::bigint[]))) is not true
    union all
    select * from {articles}
    where published_at >= current_setting('daybreak.too_far_ahead')::timestamptz
      and ingested_at >= current_setting('daybreak.strays_since')::timestamptz
      and ingested_at < current_setting('daybreak.window_end')::timestamptz
)
select article_id, title, summary, category, publisher, language, word_count,
       published_at, ingested_at, updated_at, is_flagged
from strays
order by article_id, ingested_at, published_at
