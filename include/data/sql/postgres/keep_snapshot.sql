insert into ops.snapshots (snapshot_id, as_of, window_start, parent_id, replaces_id, source)
values (%(snapshot_id)s, %(as_of)s, %(window_start)s, %(parent_id)s, %(replaces_id)s, %(source)s)
on conflict (snapshot_id) do update set used_at = now()
