-- A log of your own that came in as files lies here (`bin/daybreak load`); the views in `source` may show it.
create schema if not exists loaded authorization newsroom;
