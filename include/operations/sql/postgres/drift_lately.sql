-- The newest windows that were compared with the champion's training since a moment, newest first, each with what
-- drifted in it.
select w.window_end, w.model_version, w.is_drifted,
       coalesce(array_agg(c.subject order by c.subject) filter (where c.is_drifted), '{}') as moved
from (
    select window_end, model_version, is_drifted from ops.drift
    where subject = 'window' and window_end > %(since)s
    order by window_end desc
    limit %(limit)s
) w
left join ops.drift c
    on c.window_end = w.window_end and c.model_version = w.model_version and c.subject <> 'window'
group by w.window_end, w.model_version, w.is_drifted
order by w.window_end desc
