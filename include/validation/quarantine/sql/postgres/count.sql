-- The rows each check quarantined, per snapshot and table, newest snapshots first; a row that breaks two rules
-- counts under both.
select snapshot_id, table_name as "table", check_code as code, min(reason) as reason, count(*) as rows,
       count(replayed_into) as replayed, min(quarantined_at) as first_at, max(quarantined_at) as last_at,
       max(tried_at) as tried_at, max(replayed_into) as replayed_into
from quarantine.every_row
where (%(snapshot)s::text is null or snapshot_id = %(snapshot)s)
  and (%(table)s::text is null or table_name = %(table)s)
  and (%(code)s::text is null or check_code = %(code)s)
group by snapshot_id, table_name, check_code
order by max(max(quarantined_at)) over (partition by snapshot_id) desc, snapshot_id desc, table_name, check_code
