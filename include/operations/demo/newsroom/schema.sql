-- The demo publisher's own tables, in its own words; views.sql maps them to Daybreak's contract.
-- Applied by role `newsroom`; safe to apply again.
create table if not exists newsroom.customers (
    customer_no bigint primary key,
    territory   text not null,
    tariff      text not null,
    registered  timestamptz not null,
    likes       text[] not null
);

create table if not exists newsroom.stories (
    story_no  bigint primary key,
    headline  text not null,
    teaser    text not null,
    desk      text not null,
    outlet    text not null,
    lang      text not null,
    words     integer not null,
    live_from timestamptz not null,
    received  timestamptz not null,
    revised   timestamptz not null,
    disputed  boolean not null default false
);
create index if not exists stories_live_from on newsroom.stories (live_from);
create index if not exists stories_received on newsroom.stories (received);

-- A tracking log as publishers have them: it accepts wrong rows, so it has no constraints.
create table if not exists newsroom.tracking (
    hit_no      bigint,
    customer_no bigint,
    story_no    bigint,
    action      text,
    happened    timestamptz,
    logged      timestamptz,
    seconds     double precision,
    slot        smallint,
    place       text,
    list_ref    text,
    visit_no    bigint
);
drop index if exists newsroom.tracking_happened;
create index if not exists tracking_in_order on newsroom.tracking (happened, hit_no, logged);
create index if not exists tracking_logged on newsroom.tracking (logged, happened);

-- Hits of visits that have begun, which the log receives only after state.played_until.
create table if not exists newsroom.in_flight (like newsroom.tracking);
alter table newsroom.in_flight drop column if exists hit_no;

-- One row: the world's parameters and the moment played so far. Written with every chunk of events.
create table if not exists newsroom.state (
    only_row         boolean primary key default true check (only_row),
    seed             bigint not null,
    parameters       jsonb not null,
    played_until     timestamptz not null,
    customers_count  bigint not null,
    stories_count    bigint not null,
    hits_count       bigint not null
);

-- Lasting changes of the world, each from its moment on.
create table if not exists newsroom.scenarios (
    scenario_no bigint generated always as identity primary key,
    name        text not null,
    starts      timestamptz not null,
    parameters  jsonb not null
);
