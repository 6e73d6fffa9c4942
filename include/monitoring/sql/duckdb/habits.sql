-- The share of each category in each reader's reads between two moments.
select e.reader_id, a.category, count(*) / sum(count(*)) over (partition by e.reader_id) as share
from reading_events e
join articles a on a.article_id = e.article_id
where e.kind = $read_kind and e.occurred_at < $until and e.occurred_at >= $since
group by e.reader_id, a.category
