-- The scoring of each published batch of a version up to a moment, and the features that the version was trained on.
select distinct on (b.as_of, b.batch_id) r.reference, m.features_id
from recs.batches b
join ops.models m on m.version = b.model_version
join ops.runs r on r.stage = 'score' and r.status = 'done' and r.reference ->> 'id' = b.batch_id
where b.model_version = %(version)s and b.published_at is not null and b.as_of <= %(as_of)s
order by b.as_of, b.batch_id, r.finished_at desc
