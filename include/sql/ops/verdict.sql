select decision, champion_version, checks from ops.verdicts where verdict_id = %s
