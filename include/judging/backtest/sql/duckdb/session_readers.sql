-- The subscriber behind each asked session, under the session's own id.
select a.reader_id, s.* exclude (reader_id)
from asked a
join subscribers s on s.reader_id = a.who_id and s.signed_up_at < a.list_at
