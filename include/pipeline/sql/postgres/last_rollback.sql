select max(at) from ops.champions where action = 'rollback'
