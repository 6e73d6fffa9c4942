-- The gate: a verdict may ask for a person, a version says until when it learnt, a batch may be a shadow that is never
-- switched live, and people may freeze promotions or pin a version.
set role daybreak_run;

alter table ops.verdicts drop constraint verdicts_decision_check,
    add constraint verdicts_decision_check check (decision in ('promote', 'ask', 'keep'));
alter table ops.models add column trained_until timestamptz;
alter table recs.batches drop constraint batches_status_check,
    add constraint batches_status_check check (status in ('writing', 'audited', 'refused', 'shadow'));

-- A freeze keeps the champion whatever a verdict says, a pin lets nobody but its version be champion. Rows are lifted,
-- never removed.
create table ops.holds (
    hold_id   bigint generated always as identity primary key,
    kind      text not null check (kind in ('freeze', 'pin')),
    version   integer check ((kind = 'pin') = (version is not null)),
    until     timestamptz,
    reason    text not null,
    actor     text not null,
    set_at    timestamptz not null,
    lifted_at timestamptz,
    lifted_by text
);

-- What became of a verdict that asked for a person.
create table ops.answers (
    verdict_id  text primary key references ops.verdicts,
    answer      text not null check (answer in ('promote', 'keep')),
    actor       text not null,
    answered_at timestamptz not null
);

reset role;
