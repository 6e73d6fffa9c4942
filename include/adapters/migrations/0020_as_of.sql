-- A run says how it was started, by whom, why and with which form; a verdict says against whom, whether it counts, and
-- whether a person was asked.
set role daybreak_run;

alter table ops.runs
    add column kind text not null default '',
    add column mode text not null default '',
    add column actor text not null default '',
    add column reason text not null default '',
    add column form jsonb not null default '{}';

alter table ops.verdicts
    add column rival text not null default '',  -- the version to beat, in a sentence
    add column of_record_at timestamptz,        -- null: of a dry run, a backfill, a replay or a past day
    add column chained_at timestamptz,          -- when a chained backfill judged this last
    add column asked_at timestamptz;            -- null: a person was never asked

update ops.verdicts v set asked_at = a.raised_at from ops.alerts a where a.incident = 'ask/' || v.verdict_id;
update ops.verdicts set of_record_at = judged_at
where starts_with(run_id, 'retrain/scheduled__') or starts_with(run_id, 'retrain/asset_triggered__')
   or asked_at is not null or verdict_id in (select verdict_id from ops.champions);

create or replace view ops.version_claims as
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
where v.asked_at is not null and v.champion_seq = (select coalesce(max(seq), 0) from ops.champions)
  and not exists (select 1 from ops.answers a where a.verdict_id = v.verdict_id)
union all
select newest.challenger_version, 'won a day of the newest chained backfill'
from (select challenger_version from ops.verdicts
      where chained_at is not null and decision = 'promote' order by chained_at desc limit 1) newest
union all
select model_version, 'made lists that were published' from recs.batches where published_at is not null
union all
select b.model_version, 'lists of it are kept in batch ' || b.batch_id
from recs.batches b where exists (select 1 from recs.recommendations r where r.batch_id = b.batch_id);

reset role;
