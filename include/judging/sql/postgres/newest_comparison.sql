-- The newest verdict up to a moment with a measured baseline, and what it measured.
select verdict_id, metrics from ops.verdicts
where as_of <= %(as_of)s
  and exists (
      select 1 from jsonb_each(metrics) one
      where one.key = any(%(baselines)s) and jsonb_typeof(one.value -> 'ndcg') = 'number')
order by as_of desc, judged_at desc limit 1
