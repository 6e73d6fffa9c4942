-- The rows of the 24 hours before the same time on earlier days, as those days' own runs counted them.
-- Of several runs near that time the nearest one counts.
select distinct on (table_name, back.days) table_name, back.days, p.value
from generate_series(1, 28) as back (days)
join ops.profiles p
  on p.as_of between %(as_of)s - make_interval(days => back.days) - interval '30 minutes'
                 and %(as_of)s - make_interval(days => back.days) + interval '30 minutes'
where p.column_name = '' and p.measure = 'rows'
order by table_name, back.days, abs(extract(epoch from p.as_of - (%(as_of)s - make_interval(days => back.days)))), p.as_of
