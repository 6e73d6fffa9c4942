-- Append the next row unless another run wrote it since the verdict: the primary key lets one of two racing runs through.
-- A version that retention removed cannot be promoted.
insert into ops.champions (seq, version, from_version, action, why, actor, verdict_id, run_id, snapshot_id)
select %(after_seq)s::bigint + 1, %(version)s::integer, %(from_version)s::integer, %(action)s::text, %(why)s::text,
       %(actor)s::text, %(verdict_id)s::text, %(run_id)s::text, %(snapshot_id)s::text
where not exists (select 1 from ops.models m where m.version = %(version)s and m.removed_at is not null)
on conflict (seq) do nothing
returning seq
