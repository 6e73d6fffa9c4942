-- Rows that share their id, or their content under another id, with others. The sound row is the first one; of several,
-- the one that was known first. So a broken copy never replaces the row it was copied from.
with by_id as (
    select filename, file_row_number,
           row_number() over (
               partition by event_id
               order by is_sound and is_related desc, ingested_at, filename, file_row_number) as id_copy_no
    from reading_events_related
    where event_id in (select event_id from reading_events group by event_id having count(*) > 1)
), by_content as (
    select r.filename, r.file_row_number,
           row_number() over (
               partition by r.reader_id, r.article_id, r.kind, r.occurred_at, r.dwell_seconds, r.position, r.surface,
                            r.batch_id, r.session_id
               order by r.is_sound and r.is_related desc, r.ingested_at, r.event_id, r.filename, r.file_row_number)
               as content_copy_no
    from reading_events_related r
    anti join by_id i on i.filename = r.filename and i.file_row_number = r.file_row_number and i.id_copy_no > 1
    where hash(reader_id, article_id, kind, occurred_at, dwell_seconds, position, surface, batch_id, session_id) in (
        select hash(reader_id, article_id, kind, occurred_at, dwell_seconds, position, surface, batch_id, session_id) as h
        from reading_events group by h having count(*) > 1)
)
select coalesce(i.filename, c.filename) as filename, coalesce(i.file_row_number, c.file_row_number) as file_row_number,
       coalesce(i.id_copy_no, 1) as id_copy_no, coalesce(c.content_copy_no, 1) as content_copy_no
from by_id i
full join by_content c on c.filename = i.filename and c.file_row_number = i.file_row_number
where i.id_copy_no > 1 or c.content_copy_no > 1
