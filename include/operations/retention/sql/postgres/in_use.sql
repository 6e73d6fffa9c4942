-- What the files of versions that are kept go by.
select version, digest, mlflow_run_id, features_id from ops.models where removed_at is null and version <> all(%(going)s)
