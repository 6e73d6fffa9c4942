insert into ops.landings (until_at, told_at)
values (%(until)s, %(moment)s)
on conflict (until_at) do update
set told_at = excluded.told_at
