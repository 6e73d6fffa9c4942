-- Which events of a log say that something was read: its reads, or its clicks when it has no reads at all.
select case when exists (from reading_events where kind = 'read') then 'read' else 'click' end
