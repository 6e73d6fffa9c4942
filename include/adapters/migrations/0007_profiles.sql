-- What history is told by: figures of every run's newest 24 hours, one set per moment.
set role daybreak_run;

create table ops.profiles (
    as_of       timestamptz not null,
    table_name  text not null,
    column_name text not null,  -- empty for the table itself
    measure     text not null,
    value       double precision not null,
    snapshot_id text not null,
    primary key (as_of, table_name, column_name, measure)
);

reset role;
