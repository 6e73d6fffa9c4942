delete from ops.profiles where as_of = %(as_of)s
