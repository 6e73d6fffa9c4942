select count(*) from ops.profiles where as_of < %(before)s
