select version, digest, model, feature_version, features_id, snapshot_id, as_of, mlflow_run_id
from ops.models where version = %s
