select v.decision, v.champion_version, v.checks, v.challenger_version, v.champion_seq, m.snapshot_id, v.as_of,
       v.rival, v.of_record_at is not null
from ops.verdicts v
left join ops.models m on m.version = v.challenger_version
where v.verdict_id = %s
