-- The newest earlier moment whose challenger won in a chained backfill, with its row of the ledger if it was promoted.
-- A moment counts by its last chained verdict; a champion that the ledger had by then and that came later wins.
select v.challenger_version, v.as_of, c.seq
from (
    select distinct on (as_of) verdict_id, as_of, decision, challenger_version
    from ops.verdicts
    where chained_at is not null and as_of < %(as_of)s
    order by as_of, chained_at desc
) v
left join ops.champions c using (verdict_id)
where v.decision = 'promote'
  and v.as_of > coalesce((select at from ops.champions where seq = %(seq)s), '-infinity')
order by v.as_of desc
limit 1
