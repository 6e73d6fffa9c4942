do $$ begin
    if not exists (select from pg_constraint where conname = 'events_pkey' and conrelid = 'loaded.events'::regclass) then
        alter table loaded.events add constraint events_pkey primary key (event_id);
    end if;
end $$;
create index if not exists events_in_order on loaded.events (occurred_at, event_id, ingested_at);
create index if not exists events_arrived on loaded.events (ingested_at, occurred_at)
