-- Verdicts that changed nothing and were reached after the verdict of record, newest first: dry runs, backfills, replays.
select v.verdict_id, v.decision, v.challenger_version, v.champion_version, v.as_of, v.judged_at, v.metrics, v.rival,
       v.run_id, r.kind, r.mode, r.actor, r.reason, r.form, null as answer, null as answered_by, v.checks,
       false as is_binding
from ops.verdicts v
left join ops.runs r on r.run_id = v.run_id and r.stage = 'judge'
where v.of_record_at is null
  and not exists (select from ops.champions l where l.verdict_id = v.verdict_id)
  and v.judged_at > coalesce(%(since)s, '-infinity'::timestamptz)
order by v.judged_at desc
limit 3
