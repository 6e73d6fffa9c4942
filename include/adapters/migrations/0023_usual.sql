-- A window's measures stand beside what is usual, a request names the columns it was made for, and a version knows how
-- far its ranking hangs on each feature.
set role daybreak_run;

alter table ops.drift
    add column name text not null default '',  -- of the category, publisher or region furthest from usual
    add column usual double precision,         -- null: compared with a fixed limit
    add column row_count bigint;

alter table ops.retrain_requests add column columns text[] not null default '{}';  -- empty: for late rows

alter table ops.models add column weights jsonb not null default '{}';

reset role;
