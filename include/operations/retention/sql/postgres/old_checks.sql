-- Old checks, except those of runs behind a kept version or a champion, which may be asked about at any time.
delete from ops.checks c
where c.checked_at < %(before)s
  and not exists (select 1 from ops.models m where m.run_id = c.run_id and m.removed_at is null)
  and not exists (select 1 from ops.champions l where l.run_id = c.run_id)
