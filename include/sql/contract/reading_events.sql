-- The rows with what a rule needs to know beyond the row itself: duplicates, and the other two tables.
select e.*,
       row_number() over (partition by e.event_id order by e.ingested_at, e.filename, e.file_row_number) as copy_no,
       s.reader_id is not null as is_reader_known,
       a.article_id is not null as is_article_known,
       e.kind is distinct from 'read' or e.dwell_seconds is not null as has_dwell_if_read,
       a.article_id is null or a.published_at is null or e.occurred_at >= a.published_at as is_after_publishing
from reading_events e
left join (select distinct reader_id from subscribers) s on s.reader_id = e.reader_id
left join (select article_id, min(published_at) as published_at from articles group by article_id) a
       on a.article_id = e.article_id
