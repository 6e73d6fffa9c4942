insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id, mlflow_run_id,
                        trained_until, weights)
values (%(version)s, %(digest)s, %(model)s, %(feature_version)s, %(features_id)s, %(snapshot_id)s, %(as_of)s, %(run_id)s,
        %(mlflow_run_id)s, %(trained_until)s, %(weights)s)
on conflict (version) do nothing
