-- Rows by table and by the days since they were first quarantined, without those that have come back. Rows that a past day
-- brought up, as in a backfill, are left out, and so are those of a snapshot that never became a clean one: no run went on
-- without them, and the blocked run has told of them.
with firsts as (
    select table_name, coalesce(primary_key, file_sha256 || row_no) as name, min(quarantined_at) as first_at
    from quarantine.every_row join ops.snapshots using (snapshot_id)
    where replayed_into is null and quarantined_at - as_of < interval '1 day'
        and exists (select from ops.snapshots clean where clean.parent_id = every_row.snapshot_id)
    group by table_name, coalesce(primary_key, file_sha256 || row_no)
)
select table_name, greatest(0, floor(extract(epoch from %(moment)s - first_at) / 86400))::integer as age, count(*)
from firsts
where first_at > %(moment)s - make_interval(days => %(days)s)
group by table_name, age
