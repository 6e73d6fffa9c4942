-- All events in the day before the moment, as far back as the queries about all readers count; of older reads the
-- first of each article, and those repeated on that day. Readers are numbered in the order of their ids; the numbers
-- have no meaning outside this table. If there are more events than the crowd may hold, whole readers are left out.
with lately as (
    select * from reading_events where occurred_at < $as_of and occurred_at >= $as_of - interval 1 day
), read as (
    select reader_id, article_id, min(occurred_at) as read_at, min(ingested_at) as known_at
    from reading_events where kind in ('click', 'read') and occurred_at < $as_of group by all
), older as (
    select reader_id, article_id from read r
    where exists (select 1 from lately l where l.reader_id = r.reader_id and l.article_id = r.article_id)
    union
    select arg_min(reader_id, (read_at, reader_id)), article_id from read where known_at < $as_of group by article_id
), wanted as (
    select * from lately
    union all
    select e.* from reading_events e
    join older o on o.reader_id = e.reader_id and o.article_id = e.article_id
    where e.kind in ('click', 'read') and e.occurred_at < $as_of - interval 1 day
), sizes as (
    select reader_id, count(*) as events from wanted group by reader_id
), kept as (
    select reader_id from sizes qualify sum(events) over (order by hash(reader_id), reader_id) <= $most_events
), numbers as (
    select reader_id, dense_rank() over (order by reader_id) as number from kept
)
select n.number as reader_id, w.article_id, w.kind, w.occurred_at, w.ingested_at, w.dwell_seconds
from wanted w
join numbers n on n.reader_id = w.reader_id
order by w.occurred_at, w.event_id
