-- Days of the last two weeks, since the first verdict, for which no model was judged.
select d::date::text
from (select min(as_of) as judged from ops.verdicts) first
cross join generate_series(
    greatest(%(as_of)s::timestamptz - interval '13 days', first.judged), %(as_of)s::timestamptz, interval '1 day') d
where first.judged is not null
  and not exists (select 1 from ops.verdicts v where v.as_of::date = d::date)
order by 1
