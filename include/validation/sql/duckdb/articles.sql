-- The rows with the facts about several values that rules need. An article may be delivered ahead of its publishing,
-- up to a month; then it may also have been edited before.
select *, coalesce(published_at >= timestamptz '1990-01-01 00:00Z', true) as is_published_plausibly,
       coalesce(updated_at >= published_at or ingested_at < published_at, true) as is_updated_in_order,
       coalesce(ingested_at >= published_at - interval 31 day, true) as is_received_plausibly,
       coalesce(ingested_at < timestamptz '2100-01-01 00:00Z', true) as is_received_by_2100
from articles
