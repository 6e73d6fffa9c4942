-- Retention waits until this transaction ends, and this transaction waits until retention is done.
select pg_advisory_xact_lock_shared(%(key)s)
