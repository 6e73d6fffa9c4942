-- Events of the window that had arrived by its end plus a short grace.
-- `(select …)` is computed once, not for every row. With a limit of unknown size (here null, no limit) the planner reads
-- from an index on (occurred_at, event_id, ingested_at); without it, it would sort the window on disk.
select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position,
       surface, batch_id, session_id
from {reading_events}
where occurred_at >= current_setting('daybreak.window_start')::timestamptz
  and occurred_at < current_setting('daybreak.window_end')::timestamptz
  and (ingested_at < (select current_setting('daybreak.known_until')::timestamptz) or ingested_at is null)
order by occurred_at, event_id, ingested_at
limit (select null::bigint)
