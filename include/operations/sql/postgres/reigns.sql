-- The reigns of champions, newest first, each with the last window in which readers used its lists.
select c.seq, c.version, c.from_version, c.action, c.at as since, c.until, c.actor, c.why, c.verdict_id, c.run_id,
       h.impressions, h.read_seconds / h.impressions as seconds_per_article
from (select *, lead(at) over (order by seq) as until from ops.champions) c
left join lateral (
    select impressions, read_seconds from ops.health
    where model_version = c.version and slice = 'all' and impressions > 0
      and window_end > c.at and (c.until is null or window_end <= c.until)
    order by window_end desc
    limit 1
) h on true
order by c.seq desc
