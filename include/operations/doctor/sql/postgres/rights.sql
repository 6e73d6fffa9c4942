-- What the extract's role may do that it must not, and may not do that it must: a sentence for each.
with relations as (
    select c.oid, n.nspname || '.' || c.relname as name, n.nspname = 'source' as is_source
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'p', 'm', 'f') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_%%'
)
select 'may ' || lower(r.name) || ' ' || t.name
from relations t cross join (values ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) as r (name)
where has_table_privilege('daybreak_extract', t.oid, r.name)
union all
select 'may read ' || t.name from relations t
where not t.is_source and has_table_privilege('daybreak_extract', t.oid, 'SELECT')
  and has_schema_privilege('daybreak_extract', split_part(t.name, '.', 1), 'USAGE')
union all
select 'may not read ' || t.name from relations t
where t.is_source and not has_table_privilege('daybreak_extract', t.oid, 'SELECT')
union all
select 'may not look into schema source' where not has_schema_privilege('daybreak_extract', 'source', 'USAGE')
order by 1
