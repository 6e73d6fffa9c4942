-- Rows that share their id with others. The sound row is the first one; of several, the one that was known first.
select filename, file_row_number,
       row_number() over (
           partition by article_id order by is_sound desc, ingested_at, filename, file_row_number) as id_copy_no
from articles_rows
where article_id in (select article_id from articles group by article_id having count(*) > 1)
