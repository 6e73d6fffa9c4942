select version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id, mlflow_run_id, trained_until
from ops.models where version = %s
