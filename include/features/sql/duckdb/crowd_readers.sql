-- The number of readers with an event in the day before the moment.
select count(distinct reader_id) as readers
from reading_events where occurred_at < $as_of and occurred_at >= $as_of - interval 1 day
