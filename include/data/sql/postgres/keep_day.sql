insert into ops.snapshot_days (snapshot_id, table_name, day, sha256, row_count)
values (%(snapshot_id)s, %(table)s, %(day)s, %(sha256)s, %(rows)s)
on conflict do nothing
