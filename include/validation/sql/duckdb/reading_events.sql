-- The rows with the facts about several values that rules need. Clocks may differ by five minutes. NaN becomes infinity,
-- because DuckDB leaves out a comparison where a file's statistics, which do not count NaN, deny larger values.
select * replace (case when isnan(dwell_seconds) then 'infinity'::double else dwell_seconds end as dwell_seconds),
       kind is distinct from 'read' or dwell_seconds is not null as has_dwell_if_read,
       kind is distinct from 'impression' or coalesce(dwell_seconds, 0) = 0 as is_dwell_free_if_shown,
       kind is distinct from 'click' or position is not null as has_position_if_clicked,
       coalesce(ingested_at >= occurred_at - interval 5 minute, true) as is_received_in_order,
       coalesce(ingested_at < timestamptz '2100-01-01 00:00Z', true) as is_received_by_2100,
       coalesce(regexp_full_match(surface, '[^<>\x00-\x1f\x7f-\x9f]{1,100}'), true) as is_surface_plain,
       coalesce(regexp_full_match(batch_id, '[^<>\x00-\x1f\x7f-\x9f]{1,100}'), true) as is_batch_plain
from reading_events
