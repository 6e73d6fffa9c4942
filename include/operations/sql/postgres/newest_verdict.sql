select verdict_id, decision, challenger_version, champion_version, as_of, metrics
from ops.verdicts order by judged_at desc limit 1
