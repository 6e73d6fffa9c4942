update ops.models set purged_at = %(moment)s where version = %(version)s
