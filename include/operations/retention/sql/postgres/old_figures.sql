delete from ops.profiles where as_of < %(before)s
