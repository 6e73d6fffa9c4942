select min(occurred_at) as first from reading_events
