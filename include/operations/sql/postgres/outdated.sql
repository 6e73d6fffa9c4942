-- The newest version and what came late for it, if that is a reason to retrain.
select l.model_version as version, m.as_of, l.sentence
from ops.late_rows l join ops.models m on m.version = l.model_version
where l.is_retrain_due and l.measured_at = (select max(measured_at) from ops.late_rows)
  and m.version = (select max(version) from ops.models where removed_at is null)
