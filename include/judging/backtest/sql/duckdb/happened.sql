-- The clicks and reads between two moments, however late they were recorded.
select * from all_events where occurred_at >= $start and occurred_at < $end and kind in ('click', 'read')
