-- The checks of one run by stage and outcome, with the sentences of those that failed.
select split_part(stage, '/', 1) as stage, count(*) filter (where outcome = 'passed') as passed,
       count(*) filter (where outcome = 'failed') as failed,
       coalesce(array_agg(sentence || ' [' || code || ']' order by code) filter (where outcome = 'failed'), '{}') as told
from ops.checks
where run_id = %(run_id)s
group by split_part(stage, '/', 1)
