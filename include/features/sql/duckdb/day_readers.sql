-- The readers that a day sees: those that its events name.
select reader_id from all_subscribers where reader_id in (select reader_id from reading_events)
