-- A reproducible sample of reads with the columns watched for drift. `familiarity` is the share of the read's category in
-- the reader's habits; it is null for a reader without habits.
select ln(1 + e.dwell_seconds) as dwell_seconds_log,
       ln(1 + greatest(0, date_diff('minute', a.published_at, e.occurred_at) / 60.0)) as article_age_hours_log,
       a.word_count::double as word_count,
       case when k.reader_id is not null then coalesce(h.share, 0) end as familiarity,
       a.category, a.publisher, coalesce(s.region, 'unknown') as region
from reading_events e
join articles a on a.article_id = e.article_id
left join subscribers s on s.reader_id = e.reader_id
left join (select distinct reader_id from habits) k on k.reader_id = e.reader_id
left join habits h on h.reader_id = e.reader_id and h.category = a.category
where e.kind = $read_kind and e.occurred_at >= $since
order by hash(e.event_id)
limit $sample_rows
