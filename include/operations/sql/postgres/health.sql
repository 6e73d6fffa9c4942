-- What readers did with the lists in the newest window, whichever version made them, and in the same window a week before.
select window_end, sum(impressions)::bigint, sum(reads)::bigint, sum(read_seconds)
from ops.health
where slice = 'all' and window_hours = %(hours)s
  and window_end in (
      select max(window_end) - make_interval(days => days) from ops.health, (values (0), (7)) ago (days)
      where slice = 'all' and window_hours = %(hours)s and window_end <= %(moment)s
      group by days
  )
group by window_end
order by window_end desc
