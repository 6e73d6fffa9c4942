insert into ops.landings (until_at, run_id)
values (%(until)s, %(run_id)s)
on conflict (until_at) do update
set run_id = coalesce(landings.run_id, excluded.run_id)
