insert into loaded.names select kind, id, name from loaded.draft_names on conflict do nothing
