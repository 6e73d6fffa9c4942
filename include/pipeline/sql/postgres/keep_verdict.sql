-- A verdict that was reached before stays, and belongs to the first run that it counts for.
insert into ops.verdicts
    (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq, decision, checks, metrics,
     rival, of_record_at, chained_at, differences)
values (%(verdict_id)s, %(as_of)s, %(run_id)s, %(challenger_version)s, %(champion_version)s, %(champion_seq)s,
        %(decision)s, %(checks)s, %(metrics)s, %(rival)s, %(of_record_at)s, %(chained_at)s,
        %(differences)s)
on conflict (verdict_id) do update
    set run_id = case when ops.verdicts.of_record_at is null and excluded.of_record_at is not null
                      then excluded.run_id else ops.verdicts.run_id end,
        rival = case when ops.verdicts.of_record_at is null and excluded.of_record_at is not null
                     then excluded.rival else ops.verdicts.rival end,
        of_record_at = coalesce(ops.verdicts.of_record_at, excluded.of_record_at),
        chained_at = coalesce(excluded.chained_at, ops.verdicts.chained_at)
