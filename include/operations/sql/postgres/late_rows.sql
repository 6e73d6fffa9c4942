-- The newest measure of late rows, and a run that worked as of its moment.
select l.sentence, (select min(r.run_id) from ops.runs r where r.as_of = l.as_of and r.stage = 'extract') as run_id
from ops.late_rows l
order by l.measured_at desc
limit 1
