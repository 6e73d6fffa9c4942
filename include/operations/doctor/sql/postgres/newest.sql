-- The newest event that did not happen after its own arrival: the end of the window that is checked.
select max(occurred_at) from (
    select occurred_at, ingested_at from {reading_events}
    where occurred_at < %(moment)s
    order by occurred_at desc limit 1000) newest
where occurred_at <= ingested_at + interval '5 minutes' or ingested_at is null
