-- The checks that a run made in one of its stages.
select code, title, subject, severity, outcome, observed, limit_is, sentence
from ops.checks where run_id = %(run_id)s and stage = %(stage)s order by code, subject
