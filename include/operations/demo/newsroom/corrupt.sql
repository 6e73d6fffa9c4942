-- Wrong rows among those of the newest day: copies of real hits, each broken in one of eight ways.
-- A duplicate keeps the number of the hit it repeats; every other row gets the next free number.
with day as (
    select * from newsroom.tracking
    where happened >= %(until)s::timestamptz - interval '1 day' and happened < %(until)s and hit_no is not null
), chosen as (
    select *, row_number() over (order by hashint8extended(hit_no, %(seed)s), hit_no) as turn
    from day
    order by turn
    limit (select ceil(count(*) * %(share)s::double precision)::bigint from day)
)
insert into newsroom.tracking
select case when turn %% 8 = 0 then hit_no else %(hits)s + turn end,
       case when turn %% 8 = 1 then null
            when turn %% 8 = 2 then 900000000000 + turn else customer_no end,
       case when turn %% 8 = 3 then 900000000000 + turn else story_no end,
       case when turn %% 8 = 4 then 'teleported'
            when turn %% 8 in (5, 6) then 'finished' else action end,
       case when turn %% 8 = 7 then %(until)s + interval '2 days' else happened end,
       logged,
       case when turn %% 8 = 5 then -30 - coalesce(seconds, 0)
            when turn %% 8 = 6 then null else seconds end,
       slot, place, list_ref, visit_no
from chosen
