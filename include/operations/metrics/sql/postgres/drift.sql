-- The newest window that was measured: its columns beside their ordinary windows.
select window_end, subject, observed, limit_is, is_drifted from ops.drift
where usual is not null and window_end = (select max(window_end) from ops.drift where subject = 'window')
order by subject
limit 100
