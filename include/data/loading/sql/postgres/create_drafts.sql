-- A load first writes to these tables, which no view reads; a killed load leaves only them, and the next load drops them.
drop table if exists loaded.draft_events, loaded.draft_articles, loaded.draft_readers, loaded.draft_names;
create unlogged table loaded.draft_events (like loaded.events);
create unlogged table loaded.draft_articles (like loaded.articles);
alter table loaded.draft_articles drop column first_seen_at, drop column is_described;
create unlogged table loaded.draft_readers (like loaded.readers);
alter table loaded.draft_readers drop column first_seen_at, drop column is_described;
create unlogged table loaded.draft_names (like loaded.names);
