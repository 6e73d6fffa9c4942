drop table if exists loaded.draft_events, loaded.draft_articles, loaded.draft_readers, loaded.draft_names
