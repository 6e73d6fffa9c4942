-- The moments up to which the publisher's data have landed, as the publisher said or as a run of `retrain` found. A run
-- takes each at most once.
set role daybreak_run;

create table ops.landings (
    until_at   timestamptz primary key,
    told_at    timestamptz,  -- when it was last said; null: no message said so
    emitted_at timestamptz,  -- when the event that is to start its run was sent last
    run_id     text          -- null: no run has taken it
);

reset role;
