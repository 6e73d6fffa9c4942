-- Stages of runs, by the rule of their checks; and the newest features, which a rollback may make lists from, stay.
delete from ops.runs r
where r.started_at < %(before)s
  and not exists (select 1 from ops.models m where m.run_id = r.run_id and m.removed_at is null)
  and not exists (select 1 from ops.champions l where l.run_id = r.run_id)
  and not (r.stage = 'build_features'
           and r.as_of = (select max(as_of) from ops.runs where stage = 'build_features' and status = 'done'
                                                            and reference ->> 'id' like '%%-scoring-%%'))
