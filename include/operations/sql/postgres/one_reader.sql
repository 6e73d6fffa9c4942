-- One reader's live list with titles, for people.
select c.rank, a.title, a.category, a.publisher, c.reason, c.score, c.article_id
from recs.current c
left join source.articles a using (article_id)
where c.reader_id = coalesce(%(reader_id)s, (select min(reader_id) from recs.current where score > 0))
order by c.rank
