-- Versions to go back to, newest reign first: once champion, not champion now, and never rolled back from.
select version from ops.champions c
where version <> (select version from ops.champions order by seq desc limit 1)
  and not exists (
      select 1 from ops.champions r where r.action = 'rollback' and r.from_version = c.version and r.seq > c.seq)
group by version
order by max(seq) desc
