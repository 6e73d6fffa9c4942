-- The rows with what a rule needs to know beyond the row itself.
select *, row_number() over (partition by reader_id order by filename, file_row_number) as copy_no
from subscribers
