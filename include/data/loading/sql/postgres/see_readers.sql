-- The time of each reader's first event; a reader known only from events gets a row here.
insert into loaded.readers (reader_id, first_seen_at)
select reader_id, min(occurred_at) from loaded.draft_events group by reader_id
on conflict (reader_id) do update set first_seen_at = least(readers.first_seen_at, excluded.first_seen_at)
