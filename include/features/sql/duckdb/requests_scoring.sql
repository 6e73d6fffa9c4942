-- The requests of scoring: every subscriber, now.
select distinct s.reader_id, m.list_at from subscribers s cross join moments m
where s.signed_up_at < m.list_at
order by m.list_at, s.reader_id
