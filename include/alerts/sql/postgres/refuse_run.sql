insert into ops.refused_runs (dag_id, run_id, refused_at) values (%(dag_id)s, %(run_id)s, %(moment)s)
on conflict (dag_id, run_id) do update set refused_at = excluded.refused_at
