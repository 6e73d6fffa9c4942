update ops.holds set lifted_at = %(moment)s, lifted_by = %(actor)s
where kind = %(kind)s and lifted_at is null and (until is null or until > %(moment)s)
returning hold_id
