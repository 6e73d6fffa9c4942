-- Rows of the newest days, chosen evenly over them, leave the log and are kept.
with newest as (
    select ctid from newsroom.tracking
    where happened >= (select played_until from newsroom.state) - make_interval(days => %(days)s)
      and hit_no is not null and customer_no < %(first_unknown)s
    order by hashint8extended(hit_no, 7), hit_no
    limit %(rows)s
), taken as (
    delete from newsroom.tracking where ctid = any(array(select ctid from newest))
    returning *
)
insert into newsroom.rehearsed_tracking select * from taken
