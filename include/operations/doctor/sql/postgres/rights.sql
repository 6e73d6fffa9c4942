-- A sentence for each right that the role that reads the source has but must not have, or lacks but needs.
with relations as (
    select c.oid, n.nspname || '.' || c.relname as name, n.nspname,
           n.nspname = {schema} and starts_with(c.relname, {prefix})
               and substr(c.relname, length({prefix}) + 1) in ('subscribers', 'articles', 'reading_events') as is_view,
           n.nspname = {schema} and c.relname = {prefix} || 'deliveries' as is_marker
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'p', 'm', 'f') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_%%'
)
select 'may ' || lower(r.name) || ' ' || t.name
from relations t cross join (values ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) as r (name)
where has_table_privilege(t.oid, r.name)
union all
select 'may read ' || t.name from relations t
where not t.is_view and not t.is_marker and has_table_privilege(t.oid, 'SELECT')
  and has_schema_privilege(t.nspname, 'USAGE')
union all
select 'may not read ' || t.name from relations t
where t.is_view and not has_table_privilege(t.oid, 'SELECT')
union all
select 'may not use schema ' || {schema}
where not coalesce((select has_schema_privilege(oid, 'USAGE') from pg_namespace where nspname = {schema}), false)
order by 1
