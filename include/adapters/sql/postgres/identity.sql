-- Identity of the database and a digest of the views it is read through; the digest changes with a view's text.
select (select system_identifier::text from pg_control_system()) as system_identifier,
       current_database()::text as database,
       current_setting('server_version') as server_version,
       md5(string_agg(c.relname || ': ' || pg_get_viewdef(c.oid), ';' order by c.relname)) as views_md5
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'source' and c.relname in ('subscribers', 'articles', 'reading_events')
