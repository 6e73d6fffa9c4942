-- Old stages of runs, by the same rule as their checks. The newest features also stay, for a rollback that makes lists, and
-- the last run in which each DAG worked: without it a DAG that is broken for long would not count as overdue any more.
delete from ops.runs r
where r.started_at < %(before)s
  and not exists (select 1 from ops.models m where m.run_id = r.run_id and m.removed_at is null)
  and not exists (select 1 from ops.champions l where l.run_id = r.run_id)
  and r.run_id <> all(%(worked)s::text[])
  and not (r.stage = 'build_features'
           and r.as_of = (select max(as_of) from ops.runs where stage = 'build_features' and status = 'done'
                                                            and reference ->> 'id' like '%%-scoring-%%'))
