select count(*) from recs.current where article_id = %(article_id)s
