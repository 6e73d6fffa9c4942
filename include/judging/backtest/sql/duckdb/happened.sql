-- What readers did between two moments, however late word of it came.
select * from all_events where occurred_at >= $start and occurred_at < $end and kind in ('click', 'read')
