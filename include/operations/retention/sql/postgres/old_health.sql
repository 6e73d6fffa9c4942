-- Old windows of reading, but for those of the champion and of its predecessor, which a rollback compares.
delete from ops.health h
where h.window_end < %(before)s
  and not exists (
      select from (select version, from_version from ops.champions order by seq desc limit 1) newest
      where h.model_version in (newest.version, newest.from_version))
