-- Tables of a publisher's own that views in the warehouse's schema `source` show, from a release before database `publisher`.
select distinct t.oid::regclass::text
from pg_class v
join pg_namespace n on n.oid = v.relnamespace and n.nspname = 'source'
join pg_rewrite r on r.ev_class = v.oid
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
join pg_class t on t.oid = d.refobjid and t.oid <> v.oid
where t.relnamespace::regnamespace::text not in ('source', 'newsroom', 'loaded')
order by 1
