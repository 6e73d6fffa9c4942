-- No run saves a snapshot while old ones are removed (snapshot/keep takes the same lock, shared).
select pg_advisory_xact_lock(%(key)s)
