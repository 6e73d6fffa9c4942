-- The rows, with the facts about other rows that rules need.
select r.*, coalesce(c.id_copy_no, 1) = 1 as is_first_of_id
from articles_rows r
left join articles_copies c on c.filename = r.filename and c.file_row_number = r.file_row_number
