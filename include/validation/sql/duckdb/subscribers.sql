-- The rows with the facts about several values that rules need. PostgreSQL's -infinity means "for ever".
select *, coalesce(signed_up_at < timestamptz '1900-01-01 00:00Z'
                   or signed_up_at >= timestamptz '1990-01-01 00:00Z', true) as is_signed_up_plausibly,
       coalesce(signed_up_at < timestamptz '2100-01-01 00:00Z', true) as is_signed_up_by_2100
from subscribers
