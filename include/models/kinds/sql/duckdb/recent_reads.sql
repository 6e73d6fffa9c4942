-- Reads of the last hours before each moment, as known then. Reads that no moment uses are left out beforehand: a
-- join by ranges of a long history costs twenty times as much.
with looked_at as (
    select * from all_reads
    where read_at >= (select min(list_at) from requests) - to_hours($recent_hours)
      and read_at < (select max(list_at) from requests)
)
select m.list_at, r.reader_id, r.article_id
from (select distinct list_at from requests) m
join looked_at r on r.read_at < m.list_at and r.known_at < m.list_at and r.read_at >= m.list_at - to_hours($recent_hours)
