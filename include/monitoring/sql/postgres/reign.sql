-- The windows over all readers of the champion and of its predecessor, newest first; the predecessor's end before the
-- champion's reign began.
select h.model_version, h.window_end, h.impressions, h.read_seconds
from ops.health h
where h.slice = 'all' and h.window_hours = %(window_hours)s and h.impressions > 0
  and ((h.model_version = %(version)s and h.window_end <= %(as_of)s
        and h.window_end >= %(since)s::timestamptz + make_interval(hours => %(after_hours)s))
    or (h.model_version = %(from_version)s and h.window_end <= %(since)s))
order by h.window_end desc
