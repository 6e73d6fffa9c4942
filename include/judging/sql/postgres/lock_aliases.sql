-- Allow one process at a time to set MLflow's aliases, so that the last one has read the ledger last.
select pg_advisory_xact_lock(%(key)s)
