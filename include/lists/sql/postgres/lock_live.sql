-- Allow one publishing transaction at a time; the newest as_of wins.
select pg_advisory_xact_lock(%(key)s)
