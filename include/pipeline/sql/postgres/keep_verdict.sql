insert into ops.verdicts
    (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq, decision, checks, metrics)
values (%(verdict_id)s, %(as_of)s, %(run_id)s, %(challenger_version)s, %(champion_version)s, %(champion_seq)s,
        %(decision)s, %(checks)s, %(metrics)s)
on conflict (verdict_id) do nothing
