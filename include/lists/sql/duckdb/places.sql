-- A reproducible sample of the places of all lists, with the columns watched for drift.
select l.score::double as score,
       ln(1 + greatest(0, date_diff('minute', a.published_at, l.list_at) / 60.0)) as article_age_hours_log,
       a.category, a.publisher, regexp_replace(l.reason, '“.*”', '“…”') as reason
from listed l left join articles a using (article_id)
order by hash(l.reader_id, l.rank)
limit $sample_rows
