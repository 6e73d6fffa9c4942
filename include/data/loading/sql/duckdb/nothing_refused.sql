create table refused (line bigint, error_message varchar, csv_line varchar)
