-- The report of a stage's newest run.
select reference -> 'facts' ->> 'report' from ops.runs
where stage = %s and status = 'done' and reference -> 'facts' ->> 'report' is not null
order by finished_at desc limit 1
