-- The examples of the requests at hand.
select g.*
from given g
join requests q on q.reader_id = g.reader_id and q.list_at = g.list_at
