-- A run that trains or goes back and was started in the hours before a moment; a killed one is forgotten after them.
select run_id from ops.runs
where status = 'running' and started_at >= %(since)s
  and (starts_with(run_id, 'retrain/') or starts_with(run_id, 'cli/retrain/') or stage = 'roll_back'
       or starts_with(run_id, 'cli/backfill/') and stage <> 'report_backfill')
order by started_at limit 1
