-- The best trial of the newest searches that were finished by the moment; the first of equal ones.
select s.tuning_id, s.as_of, s.snapshot_id, t.parameters, t.score, usual.score as usual_score
from ops.tunings s
join ops.tuning_trials t on t.tuning_id = s.tuning_id
join ops.tuning_trials usual on usual.tuning_id = s.tuning_id and usual.number = 0
where s.is_done and s.model = %(model)s and s.as_of <= %(as_of)s and s.as_of > %(oldest)s
order by s.as_of desc, t.score desc, t.number, s.tuning_id
limit 1
