-- Reading time on the lists of these versions over all readers, whenever they made the live lists.
select model_version as version, sum(read_seconds) / sum(impressions) as seconds_per_article,
       sum(impressions)::bigint as impressions, count(*) as windows, max(window_end) as until
from ops.health
where slice = 'all' and window_hours = %(window_hours)s and impressions > 0 and model_version = any(%(versions)s)
group by model_version
