-- Incidents that closed long ago, with the runs that they stopped.
delete from ops.incidents where closed_at < %(before)s
