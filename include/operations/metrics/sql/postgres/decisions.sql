select decision, count(*), max(of_record_at) from ops.verdicts where of_record_at is not null group by decision
