-- The verdict on one of two versions with the other as the version to beat: one that counted, else the newest.
select verdict_id, as_of, challenger_version, champion_version, decision, checks, metrics, differences,
       of_record_at is not null as is_binding
from ops.verdicts
where (challenger_version, champion_version) in ((%(a)s, %(b)s), (%(b)s, %(a)s))
order by of_record_at is not null desc, judged_at desc
limit 1
