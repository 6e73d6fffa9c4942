select weights from ops.models where version = %s
