-- The demo publisher's own tables live here; Daybreak itself never looks into this schema.
create schema if not exists newsroom authorization newsroom;
