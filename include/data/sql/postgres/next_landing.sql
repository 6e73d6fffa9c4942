-- One event waits for its run at a time: what is told meanwhile is in the next one.
with taken as (
    select coalesce(max(until_at), '-infinity') as until_at from ops.landings where run_id is not null
), waiting as (
    select l.until_at, l.emitted_at
    from ops.landings l
    join taken t on l.until_at > t.until_at
    where l.until_at <= %(moment)s
)
update ops.landings
set emitted_at = %(moment)s
where until_at = (select max(until_at) from waiting)
  and not exists (select from waiting where emitted_at > %(lost_before)s)
returning until_at
