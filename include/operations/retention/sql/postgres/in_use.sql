-- The ids by which the files of kept versions are named.
select version, digest, mlflow_run_id, features_id from ops.models where removed_at is null and version <> all(%(going)s)
