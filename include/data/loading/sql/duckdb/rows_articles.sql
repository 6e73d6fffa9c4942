-- The first row of each article.
select * exclude (file_no, file_row_number)
from articles
qualify row_number() over (partition by article_id order by file_no, file_row_number) = 1
order by article_id
