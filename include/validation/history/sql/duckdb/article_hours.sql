-- Rows by the hour of publishing, counted back from the run's moment, as far as the snapshot is complete.
select ((epoch_us($as_of::timestamptz) - epoch_us(published_at) - 1) // 3600000000)::integer as hours_back, count(*) as n
from articles
where published_at < $as_of and published_at >= $since
group by hours_back
