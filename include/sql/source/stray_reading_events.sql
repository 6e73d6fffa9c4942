-- Events that no window would ever hold, for validation to set aside: of those that arrived on the window's last day
-- the ones without a time, dated ahead of their arrival by more than the grace, or back by more than `late_days`; and
-- those that say neither when they happened nor when they arrived.
-- An index on (ingested_at, occurred_at) answers this without a look at the day's other rows.
select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position,
       surface, batch_id, session_id
from source.reading_events
where ingested_at >= current_setting('daybreak.strays_since')::timestamptz
      and ingested_at < current_setting('daybreak.window_end')::timestamptz
      and (occurred_at is null
           or occurred_at >= current_setting('daybreak.known_until')::timestamptz
           or occurred_at < current_setting('daybreak.too_far_back')::timestamptz)
   or ingested_at is null and occurred_at is null
order by ingested_at, event_id, occurred_at
