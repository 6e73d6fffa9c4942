select answer, actor from ops.answers where verdict_id = %s
