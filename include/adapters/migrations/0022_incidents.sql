-- An incident is a cause and a subject. Failed runs join it, mails tell of its beginning, its rise and its end.
set role daybreak_run;

create table ops.incidents (
    incident_id     bigint generated always as identity primary key,
    cause           text not null,        -- the error's class, or the name of a condition
    subject         text not null,        -- what broke: a DAG, v3, source, a table, a service
    title           text not null,        -- of all its mails
    severity        text not null check (severity in ('page', 'ticket')),
    trouble         jsonb not null,       -- what is known of the newest failure
    thread          text not null unique, -- the key of its first mail in ops.alerts
    opened_at       timestamptz not null,
    last_at         timestamptz not null, -- of the newest failure
    recovered_at    timestamptz,          -- of the newest success
    closed_at       timestamptz,
    returns         integer not null default 0,
    mailed          text check (mailed in ('page', 'ticket')),  -- null: no mail was due yet
    acknowledged_at timestamptz,
    acknowledged_by text
);
create unique index one_open_incident on ops.incidents (cause, subject) where closed_at is null;

create table ops.incident_runs (
    incident_id bigint not null references ops.incidents on delete cascade,
    dag_id      text not null,
    run_id      text not null,
    task_id     text not null,
    as_of       timestamptz,
    kind        text not null check (kind in ('live', 'by hand', 'past')),
    failed_at   timestamptz not null,
    primary key (incident_id, dag_id, run_id)
);

create table ops.mutes (
    cause    text not null,
    subject  text not null,
    until    timestamptz not null,
    reason   text not null,
    actor    text not null,
    muted_at timestamptz not null,
    primary key (cause, subject)
);

-- Runs that were refused for their form: their own report of the failure is no news to on-call.
create table ops.refused_runs (
    dag_id     text not null,
    run_id     text not null,
    refused_at timestamptz not null,
    primary key (dag_id, run_id)
);

alter table ops.alerts add column thread text not null default '';  -- the key of the mail that this one answers

reset role;
