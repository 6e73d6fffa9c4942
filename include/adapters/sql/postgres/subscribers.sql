-- Readers who signed up before the end of the window, and those without a plausible time, for validation to quarantine.
select reader_id, region, plan, signed_up_at, interests
from {subscribers}
where signed_up_at < current_setting('daybreak.window_end')::timestamptz or signed_up_at is null
   or signed_up_at >= timestamptz '2100-01-01 00:00Z'
order by reader_id, signed_up_at
