-- Events in the future, or from before news was read on screens.
select (select count(*) from (select from {reading_events} where occurred_at > %(moment)s limit 100000) ahead),
       (select count(*) from (select from {reading_events}
                              where occurred_at < timestamptz '1990-01-01 00:00Z' limit 100000) ancient)
