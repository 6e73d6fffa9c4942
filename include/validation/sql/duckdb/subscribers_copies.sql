-- Rows that share their id with others. The sound row is the first one.
select filename, file_row_number,
       row_number() over (partition by reader_id order by is_sound desc, filename, file_row_number) as id_copy_no
from subscribers_rows
where reader_id in (select reader_id from subscribers group by reader_id having count(*) > 1)
