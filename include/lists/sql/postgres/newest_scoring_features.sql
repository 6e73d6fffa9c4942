select reference from ops.runs
where stage = 'build_features' and status = 'done' and reference ->> 'id' like '%%-scoring-%%'
order by as_of desc, finished_at desc limit 1
