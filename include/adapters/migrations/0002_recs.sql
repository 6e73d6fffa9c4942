-- What readers are shown. A batch is written under its id, audited, then switched live by one row of recs.live.
set role daybreak_run;

create table recs.batches (
    batch_id      text primary key,
    as_of         timestamptz not null,
    model_version integer not null,
    snapshot_id   text not null,
    run_id        text not null,
    list_length   integer not null,
    status        text not null check (status in ('writing', 'audited', 'refused')),
    readers       integer not null default 0,
    row_count     bigint not null default 0,
    written_at    timestamptz not null default now(),
    published_at  timestamptz
);

create table recs.recommendations (
    batch_id   text not null,
    reader_id  bigint not null,
    rank       smallint not null,
    article_id bigint not null,
    score      real not null,
    reason     text not null,
    primary key (batch_id, reader_id, rank)
) partition by list (batch_id);

-- One row: which batch is live, and for how long a list counts as fresh.
create table recs.live (
    only_row            boolean primary key default true check (only_row),
    batch_id            text not null references recs.batches,
    stale_after_minutes integer not null
);

create view recs.current as
select r.reader_id, r.rank, r.article_id, r.score, r.reason,
       b.batch_id, b.model_version, b.snapshot_id,
       b.as_of as generated_at,
       now() - b.as_of > make_interval(mins => l.stale_after_minutes) as is_stale
from recs.live l
join recs.batches b using (batch_id)
join recs.recommendations r using (batch_id);

-- What was handed out, appended by whoever serves lists.
create table recs.served (
    served_at timestamptz not null default now(),
    reader_id bigint not null,
    batch_id  text not null
);

reset role;
grant usage on schema recs to daybreak_api;
grant select on recs.current to daybreak_api;
grant insert on recs.served to daybreak_api;
