select 1 from ops.champions where version = %s limit 1
