-- One at a time sets MLflow's aliases, so that who comes last has read the ledger last.
select pg_advisory_xact_lock(%(key)s)
