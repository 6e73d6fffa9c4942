update ops.takedowns set lifted_at = %(moment)s, lifted_by = %(actor)s
where article_id = %(article_id)s and lifted_at is null
returning takedown_id
