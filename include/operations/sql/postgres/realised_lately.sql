-- Reading time on our lists over all readers since a moment, whichever version made them, by window, oldest first.
select window_end, sum(read_seconds) / sum(impressions) as seconds_per_article, sum(impressions)::bigint as impressions
from ops.health
where slice = 'all' and window_hours = %(window_hours)s and impressions > 0 and window_end > %(since)s
group by window_end
order by window_end
