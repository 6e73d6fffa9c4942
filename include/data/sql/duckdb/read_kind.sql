-- The kind of event that counts as a read in a log: reads, or clicks if it has no reads.
select case when exists (from reading_events where kind = 'read') then 'read' else 'click' end
