-- The rows with what a rule needs to know beyond the row itself. Of several copies the one known first is the first.
select *, row_number() over (partition by article_id order by ingested_at, filename, file_row_number) as copy_no
from articles
