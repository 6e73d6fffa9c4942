-- A reproducible sample of reads apart from those from our own lists, with the columns that Evidently draws.
select ln(1 + greatest(0, e.dwell_seconds)) as dwell_seconds_log,
       ln(1 + greatest(0, date_diff('minute', a.published_at, e.occurred_at) / 60.0)) as article_age_hours_log,
       a.word_count::double as word_count,
       a.category, a.publisher, coalesce(s.region, 'unknown') as region
from reading_events e
join articles a on a.article_id = e.article_id
left join subscribers s on s.reader_id = e.reader_id
where e.kind = $read_kind and e.occurred_at >= $since and e.occurred_at < $until and e.batch_id is null
  and (e.dwell_seconds is null or isfinite(e.dwell_seconds))
order by hash(e.event_id)
limit $sample_rows
