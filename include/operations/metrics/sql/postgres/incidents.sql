select severity, count(*) from ops.incidents
where closed_at is null and (recovered_at is null or recovered_at < last_at)
group by severity
