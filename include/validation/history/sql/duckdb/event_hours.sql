-- Rows by the hour, counted back from the run's moment.
select ((epoch_us($as_of::timestamptz) - epoch_us(occurred_at) - 1) // 3600000000)::integer as hours_back, count(*) as n
from reading_events
where occurred_at < $as_of
group by hours_back
