-- Lines that cannot be read as rows: too few or too many cells, broken quotes, broken UTF-8.
insert into rejects
select $section, $file, line, any_value(error_message), any_value(left(csv_line, 500))
from refused
group by line
