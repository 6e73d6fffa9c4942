insert into ops.audit (actor, action, detail) values (%(actor)s, %(action)s, %(detail)s)
