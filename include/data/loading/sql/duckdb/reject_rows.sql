-- Rows with a cell that cannot be used. Their line is their number among the readable rows plus the number of unreadable
-- lines before them.
with lines as (
    select line - $header_lines as file_row_number from refused group by line
), before as (
    select file_row_number - row_number() over (order by file_row_number) + 1 as row_no,
           row_number() over (order by file_row_number) as refused_lines
    from lines
)
insert into rejects
select $section, $file, p.row_no + $header_lines + coalesce(b.refused_lines, 0), p.reason, p.content
from bad p
asof left join (select row_no, max(refused_lines) as refused_lines from before group by row_no) b
          on p.row_no >= b.row_no
