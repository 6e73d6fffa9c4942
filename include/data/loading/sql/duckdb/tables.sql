-- Tables that are filled besides the rows themselves while files are read.
create table rejects (section varchar, file varchar, line bigint, reason varchar, content varchar);
create table names (kind varchar, id bigint, name varchar);
