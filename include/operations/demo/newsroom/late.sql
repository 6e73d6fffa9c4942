-- Readers who were offline: they opened and read stories that were shown one to two days ago, and the log receives it
-- only now.
with shown as (
    select * from newsroom.tracking
    where happened >= %(until)s::timestamptz - interval '2 days' and happened < %(until)s::timestamptz - interval '1 day'
      and action = 'shown'
), chosen as (
    select * from shown s
    where not exists (
        select from newsroom.tracking o
        where o.happened >= %(until)s::timestamptz - interval '4 days' and o.action = 'opened'
          and o.customer_no = s.customer_no and o.story_no = s.story_no
    )
    order by hashint8extended(hit_no, %(seed)s), hit_no
    limit (select ceil(count(*) * %(share)s::double precision)::bigint from shown)
), reading as (
    select *, 20 + mod(abs(hashint8extended(hit_no, %(seed)s + 1)), 1200) / 10.0 as stayed from chosen
), hits as (
    select customer_no, story_no, 'opened' as action, happened + interval '4 seconds' as happened,
           null::double precision as seconds, slot, place, list_ref, visit_no from reading
    union all
    select customer_no, story_no, 'finished', happened + make_interval(secs => 4 + stayed::double precision),
           stayed, slot, place, list_ref, visit_no from reading
)
insert into newsroom.tracking
select %(hits)s + row_number() over (order by happened, customer_no, story_no), customer_no, story_no, action, happened,
       %(until)s, seconds, slot, place, list_ref, visit_no
from hits
