select version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id, mlflow_run_id
from ops.models where version = %s
