insert into ops.landings (until_at, told_at)
select until_at, %(moment)s from unnest(%(told)s::timestamptz[]) as told (until_at)
on conflict (until_at) do update
set told_at = excluded.told_at
