-- Events that no window would ever hold, for validation to set aside: of those that arrived on the window's last day
-- the ones without a time, dated ahead of their arrival by more than the grace, or back by more than `late_days`. And, of
-- whatever age, those that would never count as arrived, and those that say in no way one could believe when they happened
-- and when they arrived.
-- An index on (ingested_at, occurred_at) answers each branch without a look at other rows; under one OR they would be one
-- scan of every event there ever was. Both ends of a range are said, for a planner without statistics thinks a range
-- narrow and what has one end only a third of the table.
with strays as (
    select * from source.reading_events
    where ingested_at >= current_setting('daybreak.strays_since')::timestamptz
      and ingested_at < current_setting('daybreak.window_end')::timestamptz
      and (occurred_at is null
           or occurred_at >= current_setting('daybreak.known_until')::timestamptz
           or occurred_at < current_setting('daybreak.too_far_back')::timestamptz)
    union all
    select * from source.reading_events
    where ingested_at >= timestamptz '2100-01-01 00:00Z' and ingested_at <= timestamptz 'infinity'
    union all
    select * from source.reading_events
    where ingested_at >= timestamptz '-infinity' and ingested_at < timestamptz '1990-01-01 00:00Z'
      and (occurred_at is null or occurred_at < timestamptz '1990-01-01 00:00Z'
           or occurred_at >= timestamptz '2100-01-01 00:00Z')
    union all
    select * from source.reading_events
    where ingested_at is null
      and (occurred_at is null or occurred_at < timestamptz '1990-01-01 00:00Z'
           or occurred_at >= timestamptz '2100-01-01 00:00Z')
)
select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position,
       surface, batch_id, session_id
from strays
order by ingested_at, event_id, occurred_at
