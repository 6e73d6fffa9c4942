-- An empty table is filled first and indexed afterwards, which is three times as fast.
drop index if exists loaded.events_in_order, loaded.events_arrived;
alter table loaded.events drop constraint if exists events_pkey
