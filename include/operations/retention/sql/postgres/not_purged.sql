-- Removed versions that may still have files or MLflow runs.
select version, digest, mlflow_run_id from ops.models where removed_at is not null and purged_at is null order by version
