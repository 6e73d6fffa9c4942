-- Database `publisher`: schemas of the demo newsroom and of loaded logs, and the right to read the three views.
-- It may begin as a copy of a warehouse in which these schemas still were; then Daybreak's own are removed here.
do $$
declare schema_name text;
begin
    for schema_name in
        select nspname from pg_namespace where pg_get_userbyid(nspowner) = 'daybreak_run'
    loop
        execute format('drop schema %I cascade', schema_name);
    end loop;
end $$;
drop table if exists public.migrations;
revoke all on schema public from public;
create schema if not exists source authorization newsroom;
create schema if not exists newsroom authorization newsroom;
create schema if not exists loaded authorization newsroom;
grant usage on schema source to daybreak_extract;
alter default privileges for role newsroom in schema source grant select on tables to daybreak_extract;
