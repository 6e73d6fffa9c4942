-- Whether a champion was made for a later moment. A row made by a verdict counts by the verdict's moment: a log of long
-- ago is worked through today. A rollback counts by its time, once the ledger reaches back to the moment.
select exists (
    select from ops.champions c left join ops.verdicts v using (verdict_id)
    where coalesce(v.as_of, c.at) > %(as_of)s
      and (v.as_of is not null or %(as_of)s >= (select min(at) from ops.champions)))
