-- Two texts with the same number: very rare, but then nothing may be loaded.
select d.kind, d.id, d.name, n.name from loaded.draft_names d join loaded.names n using (kind, id) where n.name <> d.name limit 1
