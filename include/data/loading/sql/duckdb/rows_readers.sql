-- The first row of each reader.
select * exclude (file_no, file_row_number)
from readers
qualify row_number() over (partition by reader_id order by file_no, file_row_number) = 1
order by reader_id
