-- Quarantined rows, whole: each content once, however many snapshots hold it, the latest first.
select q.table_name as "table", q.primary_key as key, q.original::text as original,
       array_agg(distinct q.check_code || ' ' || q.reason) as breaks, count(distinct q.snapshot_id) as snapshots,
       max(q.snapshot_id) as snapshot_id, min(q.quarantined_at) as first_at, max(q.quarantined_at) as last_at,
       max(q.replayed_into) as replayed_into, max(q.replayed_at) as replayed_at, max(q.tried_at) as tried_at, count(*) over () as found
from quarantine.every_row q
where q.table_name = %(table)s
  and (%(key)s::text is null or q.primary_key = %(key)s)
  and (%(snapshot)s::text is null or q.snapshot_id = %(snapshot)s)
  and (%(code)s::text is null or exists (
      select from quarantine.every_row o
      where (o.table_name, o.snapshot_id, o.file_sha256, o.row_no)
          = (q.table_name, q.snapshot_id, q.file_sha256, q.row_no) and o.check_code = %(code)s))
group by q.table_name, q.primary_key, q.original::text
order by max(q.quarantined_at) desc, q.primary_key, q.original::text
limit %(limit)s
