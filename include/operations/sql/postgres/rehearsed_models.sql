-- Versions that a rehearsal trained.
select version from ops.models where run_id like any(%(runs)s) and registered_at >= %(since)s
