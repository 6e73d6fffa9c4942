-- Rows that did not pass, whole, with the reason. One table per source view, all of one shape.
set role daybreak_run;

create table quarantine.subscribers (
    snapshot_id    text not null,
    check_code     text not null,
    primary_key    text,
    file_sha256    text not null,
    row_no         bigint not null,
    reason         text not null,
    run_id         text not null,
    original       jsonb not null,
    quarantined_at timestamptz not null default now(),
    primary key (snapshot_id, file_sha256, row_no, check_code)
);
create table quarantine.articles (like quarantine.subscribers including all);
create table quarantine.reading_events (like quarantine.subscribers including all);

reset role;
