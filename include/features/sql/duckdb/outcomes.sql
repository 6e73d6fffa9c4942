-- Readers' actions in the step after each moment, on articles that a list made at that moment could have contained. In a
-- log without reading times, the seconds of an opened article are unknown: null, not 0.
select e.reader_id, m.list_at, e.article_id,
       min(e.position)::double as position,
       bool_or(e.kind = 'impression') as is_shown,
       bool_or(e.kind in ('click', 'read')) as is_opened,
       case when $knows_seconds or not bool_or(e.kind in ('click', 'read'))
            then coalesce(sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = 'read'), 0)::double / 1000
            end as read_seconds
from reading_events e
asof join moments m on e.occurred_at >= m.list_at
join articles a on a.article_id = e.article_id
where e.occurred_at >= $since and a.published_at < m.list_at and a.ingested_at < m.list_at and not a.is_flagged
  and a.published_at >= m.list_at - to_hours($article_max_age_hours)
  and not exists (
      select 1 from reads r
      where r.reader_id = e.reader_id and r.article_id = e.article_id and r.read_at < m.list_at)
group by all
order by m.list_at, e.reader_id, e.article_id
