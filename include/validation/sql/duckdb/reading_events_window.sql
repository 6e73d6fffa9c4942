-- The rows, with the facts about other rows that rules need.
select r.*, coalesce(c.id_copy_no, 1) = 1 as is_first_of_id, coalesce(c.content_copy_no, 1) = 1 as is_first_of_content
from reading_events_related r
left join reading_events_copies c on c.filename = r.filename and c.file_row_number = r.file_row_number
