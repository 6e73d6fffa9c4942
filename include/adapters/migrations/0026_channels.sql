-- An alert goes to several channels, to each in a delivery of its own. An incident knows which DAG's success ended it, and
-- a failed run that its DAG has worked since. A stage knows its processor time.
set role daybreak_run;

alter table ops.alerts add column facts jsonb not null default '{}';  -- what programs are told

create table ops.deliveries (
    alert_id   bigint not null references ops.alerts on delete cascade,
    channel    text not null,
    sent_at    timestamptz,
    attempts   integer not null default 0,
    last_error text,
    refused    jsonb not null default '{}',  -- recipient -> the mail server's answer, while others were accepted
    primary key (alert_id, channel)
);
create index waiting_deliveries on ops.deliveries (channel) where sent_at is null;
insert into ops.deliveries (alert_id, channel, sent_at, attempts, last_error)
select alert_id, 'mail', sent_at, attempts, last_error from ops.alerts;
alter table ops.alerts drop column sent_at, drop column attempts, drop column last_error;

-- How each channel answered last.
create table ops.channels (
    channel   text primary key,
    tried_at  timestamptz not null,
    worked_at timestamptz,
    failure   text  -- null: it worked
);

alter table ops.incidents add column recovered_by text;  -- null: a condition ended
alter table ops.incident_runs add column worked_at timestamptz;
update ops.incident_runs r set worked_at = coalesce(i.closed_at, i.recovered_at)
from ops.incidents i where i.incident_id = r.incident_id and r.failed_at <= coalesce(i.closed_at, i.recovered_at);

alter table ops.runs add column cpu_seconds double precision;  -- of the stage's process and of those it waited for

reset role;
