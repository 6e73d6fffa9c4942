-- The requests of training: the readers with an outcome in the step after a moment, and when they came in that step.
select e.reader_id, m.list_at, min(e.occurred_at) as asked_at
from reading_events e
asof join moments m on e.occurred_at >= m.list_at
where e.occurred_at >= $since and (e.reader_id, m.list_at) in (select (reader_id, list_at) from outcomes)
group by all
order by m.list_at, e.reader_id
