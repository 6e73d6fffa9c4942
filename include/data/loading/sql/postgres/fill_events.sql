insert into loaded.events select * from loaded.draft_events order by occurred_at, event_id
