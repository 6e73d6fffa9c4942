-- Against which version and row of the ledger this run was judged first, and how that was told.
select champion_version, champion_seq, judged_at, rival from ops.verdicts
where run_id = %(run_id)s and as_of = %(as_of)s and of_record_at is not null
order by judged_at limit 1
