-- Which snapshot holds which version of which day, so that a model leads to the versions it learnt from; and what came
-- late for days that a model had read already.
set role daybreak_run;

create table ops.snapshots (
    snapshot_id  text primary key,
    as_of        timestamptz not null,
    window_start timestamptz not null,
    parent_id    text,   -- of a clean snapshot: the raw one it was made from
    replaces_id  text,   -- the version of the same window that was newest when this one was taken
    source       jsonb not null,
    taken_at     timestamptz not null default now()
);
create index on ops.snapshots (as_of, window_start);

create table ops.snapshot_days (
    snapshot_id text not null references ops.snapshots,
    table_name  text not null,
    day         text not null,
    sha256      text not null,   -- the version: the same content has the same name
    row_count   bigint not null,
    primary key (snapshot_id, table_name, day, sha256)
);

create view ops.model_days as
select m.version as model_version, m.model, d.snapshot_id, d.table_name, d.day, d.sha256, d.row_count
from ops.models m join ops.snapshot_days d on d.snapshot_id = m.snapshot_id;

create table ops.late_rows (
    snapshot_id      text not null references ops.snapshots,
    model_version    integer not null,
    as_of            timestamptz not null,
    before_count     bigint not null,
    late_count       bigint not null,
    corrected_count  bigint not null,
    gone_count       bigint not null,
    share            double precision not null,
    limit_share      double precision not null,
    is_retrain_due   boolean not null,
    sentence         text not null,
    measured_at      timestamptz not null default now(),
    primary key (snapshot_id, model_version)
);

reset role;
