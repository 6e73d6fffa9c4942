-- One reader's live list.
select rank, article_id, reason, score
from recs.current
where reader_id = coalesce(
    %(reader_id)s,
    (select min(reader_id) from recs.current where score > 0),
    (select min(reader_id) from recs.current))
order by rank
