-- Readers that are described for the first time; their first_seen_at from events stays.
insert into loaded.readers (reader_id, region, plan, signed_up_at, interests, is_described)
select reader_id, region, plan, signed_up_at, interests, true
from loaded.draft_readers
on conflict (reader_id) do update
    set region = excluded.region, plan = excluded.plan, signed_up_at = excluded.signed_up_at,
        interests = excluded.interests, is_described = true
    where not readers.is_described
