-- The newest measure of late rows, and the run that took its snapshot.
select l.sentence, r.run_id
from ops.late_rows l left join ops.runs r on r.reference ->> 'id' = l.snapshot_id
order by l.measured_at desc, r.started_at
limit 1
