select removed_why from ops.models where version = %s and removed_at is not null
