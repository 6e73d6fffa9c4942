-- The record of what happened and why: runs, checks, verdicts, the champion ledger, drift, health, alerts, audit.
set role daybreak_run;

create table ops.runs (
    run_id      text not null,
    stage       text not null,
    as_of       timestamptz not null,
    status      text not null check (status in ('running', 'done', 'failed')),
    started_at  timestamptz not null,
    finished_at timestamptz,
    seconds     double precision,
    peak_mb     double precision,
    reference   jsonb,
    error       text,
    primary key (run_id, stage)
);

create table ops.checks (
    run_id     text not null,
    stage      text not null,
    subject    text not null,
    code       text not null,
    title      text not null,
    severity   text not null check (severity in ('block', 'warn', 'info')),
    outcome    text not null check (outcome in ('passed', 'failed', 'not applicable')),
    observed   double precision,
    limit_is   text,
    sentence   text not null,
    checked_at timestamptz not null default now(),
    primary key (run_id, stage, subject, code)
);

-- What was registered, with the digest that a load must find again.
create table ops.models (
    version         integer primary key,
    digest          text not null,
    model           text not null,
    feature_version text not null,
    features_id     text not null,
    snapshot_id     text not null,
    as_of           timestamptz not null,
    run_id          text not null,
    mlflow_run_id   text not null,
    registered_at   timestamptz not null default now()
);

create table ops.verdicts (
    verdict_id         text primary key,
    as_of              timestamptz not null,
    run_id             text not null,
    challenger_version integer not null,
    champion_version   integer,
    champion_seq       bigint not null,
    decision           text not null check (decision in ('promote', 'keep')),
    checks             jsonb not null,
    metrics            jsonb not null,
    judged_at          timestamptz not null default now()
);

-- Append-only. The champion is the row with the highest seq; a row can only follow the one it was decided against,
-- so of two runs that race to promote, one is refused by the primary key.
create table ops.champions (
    seq          bigint primary key check (seq > 0),
    version      integer not null,
    from_version integer,
    action       text not null check (action in ('promote', 'rollback')),
    why          text not null,
    actor        text not null,
    verdict_id   text references ops.verdicts,
    run_id       text not null,
    snapshot_id  text not null,
    at           timestamptz not null default now()
);
create function ops.refuse_change() returns trigger language plpgsql as
$$ begin raise exception '% is append-only', tg_table_name; end $$;
create trigger append_only before update or delete or truncate on ops.champions
    for each statement execute function ops.refuse_change();

create table ops.health (
    window_end    timestamptz not null,
    window_hours  integer not null,
    model_version integer not null,
    slice         text not null,
    readers       integer not null,
    impressions   bigint not null,
    reads         bigint not null,
    read_seconds  double precision not null,
    measured_at   timestamptz not null default now(),
    primary key (window_end, window_hours, model_version, slice)
);

create table ops.drift (
    window_end    timestamptz not null,
    model_version integer not null,
    subject       text not null,
    method        text not null,
    observed      double precision not null,
    limit_is      double precision not null,
    is_drifted    boolean not null,
    measured_at   timestamptz not null default now(),
    primary key (window_end, model_version, subject)
);

create table ops.retrain_requests (
    window_end   timestamptz primary key,
    reason       text not null,
    requested_at timestamptz not null default now()
);

-- The outbox: an alert is a row first and a mail second, so a broken mail server loses nothing.
create table ops.alerts (
    alert_id   bigint generated always as identity primary key,
    incident   text not null unique,
    severity   text not null check (severity in ('page', 'ticket', 'digest')),
    subject    text not null,
    body       text not null,
    raised_at  timestamptz not null default now(),
    sent_at    timestamptz,
    attempts   integer not null default 0,
    last_error text
);

create table ops.audit (
    at     timestamptz not null default now(),
    actor  text not null,
    action text not null,
    detail jsonb not null
);

reset role;
