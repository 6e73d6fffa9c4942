-- Reads and when they were known: one row per reader and article; a click counts as a read. The duration is known
-- later, and never for an article that was left at once or in a log of clicks.
select reader_id, article_id,
       min(occurred_at) as read_at,
       min(ingested_at) as known_at,
       sum(round(1000 * dwell_seconds)::bigint) filter (where kind = 'read')::double / 1000 as read_seconds,
       max(ingested_at) filter (where kind = 'read') as seconds_known_at
from reading_events
where kind in ('click', 'read')
group by all
order by reader_id, read_at, article_id
