-- Everybody who had signed up by the end of the window.
select reader_id, region, plan, signed_up_at, interests
from source.subscribers
where signed_up_at < current_setting('daybreak.window_end')::timestamptz or signed_up_at is null
order by reader_id, signed_up_at
