-- Every version, newest first, with its newest verdict and its present state.
select m.version, m.model, m.registered_at, m.as_of, m.trained_until, m.snapshot_id, m.run_id, m.digest, m.removed_at,
       m.removed_why, v.verdict_id, v.decision as verdict, v.judged_at,
       exists (
           select from ops.holds h where h.kind = 'pin' and h.version = m.version and h.lifted_at is null
       ) as is_pinned,
       case
           when m.removed_at is not null then 'removed'
           when m.version = champion.version then 'champion'
           when r.seq is not null and exists (
               select from ops.champions b
               where b.action = 'rollback' and b.from_version = m.version and b.seq > r.seq
           ) then 'rolled back'
           when r.seq is not null then 'was champion'
           when v.verdict_id is null then 'not judged'
           else 'not promoted'
       end as state
from ops.models m
left join lateral (
    select verdict_id, decision, judged_at from ops.verdicts
    where challenger_version = m.version order by judged_at desc limit 1
) v on true
left join lateral (select max(seq) as seq from ops.champions c where c.version = m.version) r on true
left join (select seq, version from ops.champions order by seq desc limit 1) champion on true
order by m.version desc
