-- The distinct rows each check quarantined per table, newest first: the same content under the same key counts once,
-- however many snapshots hold it; a row that breaks two rules counts under both. If a check stopped the newest run, its
-- sentence says how many rows broke the rule.
with counted as (
    select table_name as "table", check_code as code, min(reason) as reason,
           count(distinct (primary_key, md5(original::text))) as rows,
           count(distinct (primary_key, md5(original::text))) filter (where replayed_into is not null) as replayed,
           count(distinct snapshot_id) as snapshots, max(snapshot_id) as snapshot_id,
           min(quarantined_at) as first_at, max(quarantined_at) as last_at, max(tried_at) as tried_at,
           array_agg(distinct replayed_into) filter (where replayed_into is not null) as replayed_into,
           (array_agg(run_id order by quarantined_at desc))[1] as run_id
    from quarantine.every_row
    where (%(snapshot)s::text is null or snapshot_id = %(snapshot)s)
      and (%(table)s::text is null or table_name = %(table)s)
      and (%(code)s::text is null or check_code = %(code)s)
    group by table_name, check_code
)
select counted.*, c.sentence as stopped
from counted
left join ops.checks c on (c.run_id, c.stage, c.subject, c.code) = (counted.run_id, 'validate', counted.table, counted.code)
    and exists (
        select from ops.checks b
        where (b.run_id, b.stage, b.severity) = (c.run_id, c.stage, 'block') and b.outcome <> 'passed'
    )
order by last_at desc, "table", code
