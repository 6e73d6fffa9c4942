-- The newest snapshot of an earlier moment that passed its validation.
select p.snapshot_id, p.as_of
from ops.profiles p
where p.as_of < %(as_of)s
  and exists (
      select from ops.runs r
      where r.stage = 'validate' and r.status = 'done' and r.reference -> 'parents' ->> 0 = p.snapshot_id)
order by p.as_of desc
limit 1
