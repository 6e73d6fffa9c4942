-- Searches for better parameters of a model, and every trial of each; a search that was killed goes on from its trials.
set role daybreak_run;

create table ops.tunings (
    tuning_id   text primary key,
    model       text not null,
    as_of       timestamptz not null,
    snapshot_id text not null,
    run_id      text not null,
    is_done     boolean not null default false
);

-- Trial 0 has no parameters: the model as it is.
create table ops.tuning_trials (
    tuning_id  text not null references ops.tunings,
    number     integer not null,
    parameters jsonb not null,
    score      double precision not null,
    seconds    double precision not null,
    primary key (tuning_id, number)
);

reset role;
