-- Versions that were removed and of which something may still lie about.
select version, digest, mlflow_run_id from ops.models where removed_at is not null and purged_at is null order by version
