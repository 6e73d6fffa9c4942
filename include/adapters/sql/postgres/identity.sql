-- The database and the views it was read through; the digest changes when a view's text does.
select (select system_identifier::text from pg_control_system()) as system_identifier,
       current_database()::text as database,
       current_setting('server_version') as server_version,
       md5(string_agg(c.relname || ': ' || pg_get_viewdef(c.oid), ';' order by c.relname)) as views_md5
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = {schema} and starts_with(c.relname, {prefix})
  and substr(c.relname, length({prefix}) + 1) in ('subscribers', 'articles', 'reading_events')
