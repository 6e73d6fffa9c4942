-- The loaded log as a publisher's own tables. Columns missing in the files stay empty; `first_seen_at` is the first event
-- of an article or a reader and replaces a missing time.
create table if not exists loaded.events (
    event_id      bigint not null,
    reader_id     bigint not null,
    article_id    bigint not null,
    kind          text not null,
    occurred_at   timestamptz not null,
    ingested_at   timestamptz not null,
    dwell_seconds double precision,
    position      smallint,
    surface       text,
    batch_id      text,
    session_id    bigint
);
create table if not exists loaded.articles (
    article_id    bigint primary key,
    title         text,
    summary       text,
    category      text,
    publisher     text,
    language      text,
    word_count    integer,
    published_at  timestamptz,
    ingested_at   timestamptz,
    updated_at    timestamptz,
    is_flagged    boolean,
    first_seen_at timestamptz,
    is_described  boolean not null default false
);
create index if not exists articles_published
    on loaded.articles ((coalesce(published_at, first_seen_at)));
create table if not exists loaded.readers (
    reader_id     bigint primary key,
    region        text,
    plan          text,
    signed_up_at  timestamptz,
    interests     text[],
    first_seen_at timestamptz,
    is_described  boolean not null default false
);
-- The publisher's text ids, with the numbers made from them.
create table if not exists loaded.names (
    kind text not null,
    id   bigint not null,
    name text not null,
    primary key (kind, id)
);
