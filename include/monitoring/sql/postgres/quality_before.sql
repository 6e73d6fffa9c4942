-- What readers did with the lists of all versions in the windows that ended at these moments, but for windows in which
-- this was called already: a fall must not become usual.
select sum(h.impressions)::bigint, sum(h.read_seconds) from ops.health h
where h.slice = 'all' and h.window_hours = %(window_hours)s and h.window_end = any(%(window_ends)s)
  and not exists (
      select from ops.drift d where d.window_end = h.window_end and d.subject = %(column)s and d.is_drifted)
group by h.window_end
order by h.window_end
