select occurred_at from {reading_events}
where occurred_at < %(window_end)s
order by occurred_at desc
limit 1
