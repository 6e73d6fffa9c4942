-- Who read what, when it was known: one row per reader and article; a click counts as a read.
select reader_id, article_id,
       min(occurred_at) as read_at,
       min(ingested_at) as known_at
from reading_events
where kind in ('click', 'read')
group by all
order by reader_id, read_at, article_id
