-- Questions that were asked and neither answered nor superseded by another champion, newest first.
select v.verdict_id, v.challenger_version, v.as_of, v.asked_at
from ops.verdicts v
where v.asked_at is not null
  and v.champion_seq = (select coalesce(max(seq), 0) from ops.champions)
  and not exists (select 1 from ops.answers a where a.verdict_id = v.verdict_id)
order by v.judged_at desc
