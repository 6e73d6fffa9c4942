-- The next row, if nobody else has written it since the verdict: the primary key lets one of two racing runs through.
insert into ops.champions (seq, version, from_version, action, why, actor, verdict_id, run_id, snapshot_id)
values (%(after_seq)s + 1, %(version)s, %(from_version)s, %(action)s, %(why)s, %(actor)s, %(verdict_id)s, %(run_id)s,
        %(snapshot_id)s)
on conflict (seq) do nothing
returning seq
