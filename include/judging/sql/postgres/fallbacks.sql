-- Versions to go back to, newest reign first: champion once, not champion now, and not rolled back from since.
select version from ops.champions c
where version <> (select version from ops.champions order by seq desc limit 1)
  and not exists (
      select 1 from ops.champions r where r.action = 'rollback' and r.from_version = c.version and r.seq > c.seq)
group by version
order by max(seq) desc
