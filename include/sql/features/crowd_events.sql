-- What everybody did in the day before the moment, as far back as the queries about everybody look. Readers go by a
-- number that says nothing outside this table. If there is more than the crowd may hold, whole readers are left out.
with lately as (
    select * from reading_events where occurred_at < $as_of and occurred_at >= $as_of - interval 1 day
), readers as (
    select reader_id, dense_rank() over (order by hash(reader_id), reader_id) as number, count(*) as events
    from lately group by reader_id
), kept as (
    select reader_id, number from readers qualify sum(events) over (order by number) <= $most_events
)
select k.number as reader_id, e.article_id, e.kind, e.occurred_at, e.ingested_at, e.dwell_seconds
from lately e
join kept k on k.reader_id = e.reader_id
order by e.occurred_at, e.event_id
