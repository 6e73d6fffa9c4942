-- The columns that the publisher's views offer, with their PostgreSQL types; view names come without the prefix.
select substr(c.relname, length({prefix}) + 1) as table_name, a.attname as column_name,
       format_type(a.atttypid, null) as type_name
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = {schema} and starts_with(c.relname, {prefix}) and a.attnum > 0 and not a.attisdropped
