-- The snapshot to replay by default: the newest with rows that have not come back; those that only served
-- an hour's lists come last.
select snapshot_id
from quarantine.every_row
where replayed_into is null
  and (%(table)s::text is null or table_name = %(table)s)
  and (%(code)s::text is null or check_code = %(code)s)
group by snapshot_id
order by bool_and(run_id like 'recommend/%%'), max(quarantined_at) desc, snapshot_id desc
limit 1
