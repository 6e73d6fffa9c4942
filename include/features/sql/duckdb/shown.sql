-- Articles shown to each reader, with time, position and when that was known: one row per reader and article.
select reader_id, article_id,
       min(occurred_at) as shown_at,
       min(ingested_at) as known_at,
       arg_min(position, (occurred_at, event_id)) as position
from reading_events
where kind = 'impression'
group by all
order by reader_id, shown_at, article_id
