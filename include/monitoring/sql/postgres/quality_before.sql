-- What readers did with the lists of all versions in the windows that ended at these moments.
select sum(impressions)::bigint, sum(read_seconds) from ops.health
where slice = 'all' and window_hours = %(window_hours)s and window_end = any(%(window_ends)s)
group by window_end
order by window_end
