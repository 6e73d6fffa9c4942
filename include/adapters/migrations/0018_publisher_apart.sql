-- The demo newsroom and loaded logs have a database of their own, `publisher`, which begins as a copy of this one. Views
-- over a publisher's own tables stay, for the setting `source` may name them here.
do $$
begin
    if exists (select from pg_database where datname = 'publisher') and not exists (
        select from pg_class v
        join pg_rewrite r on r.ev_class = v.oid
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
            and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
        join pg_class t on t.oid = d.refobjid
        where v.relnamespace::regnamespace::text = 'source'
          and t.relnamespace::regnamespace::text not in ('source', 'newsroom', 'loaded')
    ) then
        drop schema if exists source, newsroom, loaded cascade;
    end if;
end $$;
