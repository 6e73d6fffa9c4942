-- Days of the last two weeks, since the first verdict, for which no model was judged.
select d::date::text
from generate_series(
    greatest(%(as_of)s::timestamptz - interval '13 days', (select min(as_of) from ops.verdicts)),
    %(as_of)s::timestamptz, interval '1 day') d
where not exists (select 1 from ops.verdicts v where v.as_of::date = d::date)
order by 1
