-- The verdict of record: of the last scheduled run or other run of its day that could promote, or that led to a promotion.
select v.verdict_id, v.decision, v.challenger_version, v.champion_version, v.as_of, v.judged_at, v.metrics, v.rival,
       v.run_id, r.kind, r.mode, r.actor, r.reason, r.form, a.answer, a.actor as answered_by, v.checks,
       v.decision <> 'promote' or l.seq is not null as is_binding
from ops.verdicts v
left join ops.runs r on r.run_id = v.run_id and r.stage = 'judge'
left join ops.champions l on l.verdict_id = v.verdict_id
left join ops.answers a on a.verdict_id = v.verdict_id
where v.of_record_at is not null or l.seq is not null
order by v.as_of desc, coalesce(v.of_record_at, l.at) desc
limit 1
