select run_id
from ops.landings
where until_at >= %(until)s
  and run_id <> %(run_id)s
  and not exists (select from ops.landings where run_id = %(run_id)s)
order by until_at
limit 1
