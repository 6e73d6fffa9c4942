select decision, challenger_version, champion_version, champion_seq from ops.verdicts where verdict_id = %s
