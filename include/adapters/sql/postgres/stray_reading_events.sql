-- Events that no window would ever contain, for validation to quarantine: those that arrived on the window's last day
-- without a time, dated after their arrival by more than the grace, or before it by more than `late_days`; and, of any
-- age, those that would never count as arrived, or whose times of event and arrival are both implausible.
-- An index on (ingested_at, occurred_at) answers each branch without reading other rows; under one OR they would scan all
-- events. Ranges have both ends, because a planner without statistics takes a closed range for narrow and an open one for
-- a third of the table.
with strays as (
    select * from {reading_events}
    where ingested_at >= current_setting('daybreak.strays_since')::timestamptz
      and ingested_at < current_setting('daybreak.window_end')::timestamptz
      and (occurred_at is null
           or occurred_at >= current_setting('daybreak.known_until')::timestamptz
           or occurred_at < current_setting('daybreak.too_far_back')::timestamptz)
    union all
    select * from {reading_events}
    where ingested_at >= timestamptz '2100-01-01 00:00Z' and ingested_at <= timestamptz 'infinity'
    union all
    select * from {reading_events}
    where ingested_at >= timestamptz '-infinity' and ingested_at < timestamptz '1990-01-01 00:00Z'
      and (occurred_at is null or occurred_at < timestamptz '1990-01-01 00:00Z'
           or occurred_at >= timestamptz '2100-01-01 00:00Z')
    union all
    select * from {reading_events}
    where ingested_at is null
      and (occurred_at is null or occurred_at < timestamptz '1990-01-01 00:00Z'
           or occurred_at >= timestamptz '2100-01-01 00:00Z')
)
select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position,
       surface, batch_id, session_id
from strays
order by ingested_at, event_id, occurred_at
