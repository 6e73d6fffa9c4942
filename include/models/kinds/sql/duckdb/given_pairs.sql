-- The candidates that were given, for the requests at hand.
select g.reader_id, g.list_at, g.article_id
from given g
join requests q on q.reader_id = g.reader_id and q.list_at = g.list_at
order by g.list_at, g.reader_id, g.article_id
