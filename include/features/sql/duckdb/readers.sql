-- One row per request, with all facts known about the reader at the moment.
select q.reader_id, q.list_at,
       p.* exclude (reader_id, event_timestamp),
       a.* exclude (reader_id, event_timestamp),
       t.* exclude (reader_id, event_timestamp)
from requests q
left join reader_profile p on p.reader_id = q.reader_id and p.event_timestamp = q.list_at
left join reader_activity a on a.reader_id = q.reader_id and a.event_timestamp = q.list_at
left join reader_taste t on t.reader_id = q.reader_id and t.event_timestamp = q.list_at
order by q.list_at, q.reader_id
