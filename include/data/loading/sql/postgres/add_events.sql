insert into loaded.events select * from loaded.draft_events on conflict (event_id) do nothing
