-- The described articles and when they are asked for: as soon as the first reader of the step came.
select a.article_id, a.event_timestamp as list_at, coalesce(q.asked_at, a.event_timestamp) as event_timestamp
from article_stats a
left join (select list_at, min(asked_at) as asked_at from requests group by list_at) q on q.list_at = a.event_timestamp
order by list_at, a.article_id
