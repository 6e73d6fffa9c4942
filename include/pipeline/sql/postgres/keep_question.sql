update ops.verdicts set asked_at = coalesce(asked_at, %(moment)s) where verdict_id = %(verdict_id)s
