select * from rejects order by section, file, line
