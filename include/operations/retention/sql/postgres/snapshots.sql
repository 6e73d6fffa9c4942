-- Every snapshot, its last use and its claims; versions and batches that go themselves claim nothing.
with claims as (
    select snapshot_id, 'v' || version || ' learnt from it' as why
    from ops.models where removed_at is null and version <> all(%(going_versions)s)
    union all
    select b.snapshot_id, 'lists made from it are kept'
    from recs.batches b
    where b.batch_id <> all(%(going_batches)s)
      and exists (select 1 from recs.recommendations r where r.batch_id = b.batch_id)
    union all
    select reference -> 'parents' ->> 0, 'the newest features were made from it'
    from (select reference from ops.runs
          where stage = 'build_features' and status = 'done' and reference ->> 'id' like '%%-scoring-%%'
          order by as_of desc, finished_at desc limit 1) newest
), found as (
    select s.snapshot_id, s.parent_id, greatest(s.used_at, s.as_of) as used_at,
           array(select distinct c.why from claims c where c.snapshot_id = s.snapshot_id order by 1) as claims
    from ops.snapshots s
)
select f.snapshot_id, f.used_at,
       f.claims || array(select distinct 'its clean version ' || child.snapshot_id || ' is kept' from found child
                         where child.parent_id = f.snapshot_id
                           and (child.used_at >= %(before)s or cardinality(child.claims) > 0)) as claims
from found f
order by f.snapshot_id
