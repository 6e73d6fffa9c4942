-- Retention: a version that was removed keeps its row with the reason, and everything that keeps a version is in one view.
set role daybreak_run;

alter table ops.models
    add column removed_at timestamptz,   -- from here on nobody may use it
    add column removed_why text,
    add column purged_at timestamptz;    -- its files and its rows in MLflow are gone, too
alter table ops.snapshots add column used_at timestamptz not null default now();

create view ops.version_claims as
select version, 'is champion' as why from ops.champions where seq = (select max(seq) from ops.champions)
union all
select version, 'was champion' from ops.champions where seq < (select max(seq) from ops.champions)
union all
select from_version, 'was champion' from ops.champions where from_version is not null
union all
select version, 'is the newest, the challenger'
from ops.models where version = (select max(version) from ops.models where removed_at is null)
union all
select version, 'is pinned' from ops.holds where kind = 'pin' and lifted_at is null
union all
select v.challenger_version, 'verdict ' || v.verdict_id || ' asks for a person'
from ops.verdicts v
where v.decision = 'ask' and v.champion_seq = (select coalesce(max(seq), 0) from ops.champions)
  and not exists (select 1 from ops.answers a where a.verdict_id = v.verdict_id)
union all
select model_version, 'made lists that were published' from recs.batches where published_at is not null
union all
select b.model_version, 'lists of it are kept in batch ' || b.batch_id
from recs.batches b where exists (select 1 from recs.recommendations r where r.batch_id = b.batch_id);

reset role;
