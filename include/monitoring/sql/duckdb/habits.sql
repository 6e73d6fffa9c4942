-- Each reader's reads of every category between two moments, under the name of these habits.
select $habit as habit, e.reader_id, a.category, count(*) as reads
from reading_events e
join articles a on a.article_id = e.article_id
where e.kind = $read_kind and e.occurred_at < $until and e.occurred_at >= $since
  and hash(e.reader_id) % 1000000 < $readers_of_million
group by e.reader_id, a.category
