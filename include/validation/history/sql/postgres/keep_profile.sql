insert into ops.profiles (as_of, table_name, column_name, measure, value, snapshot_id)
values (%(as_of)s, %(table_name)s, %(column_name)s, %(measure)s, %(value)s, %(snapshot_id)s)
on conflict (as_of, table_name, column_name, measure) do update
    set value = excluded.value, snapshot_id = excluded.snapshot_id
