-- Who read what in the last hours before each moment, as known then.
select m.list_at, r.reader_id, r.article_id
from (select distinct list_at from requests) m
join all_reads r on r.read_at < m.list_at and r.known_at < m.list_at and r.read_at >= m.list_at - to_hours($recent_hours)
