-- Columns of the publisher's views, with their PostgreSQL types.
select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, null) as type_name
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'source' and a.attnum > 0 and not a.attisdropped
