select coalesce(max(version), 0) from ops.models
