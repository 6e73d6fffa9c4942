-- Whether a log has reading times at all: in one of clicks the seconds of an opened article are unknown, not 0.
select count(dwell_seconds) > 0 from reading_events where kind = 'read'
