-- The four schemas of the warehouse and who may do what in them.
-- Run by the superuser; the roles exist already (include/adapters/warehouse.py creates them with generated passwords).
create schema source authorization newsroom;      -- the publisher's side of the contract: three views, mapped by them
create schema recs authorization daybreak_run;
create schema ops authorization daybreak_run;
create schema quarantine authorization daybreak_run;

revoke all on schema public from public;
grant usage on schema source to daybreak_extract;
alter default privileges for role newsroom in schema source grant select on tables to daybreak_extract;
alter role daybreak_extract set default_transaction_read_only = on;
