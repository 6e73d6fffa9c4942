-- For each request and article: the number of readers of the last hours who read it and an article of the reader's own,
-- summed over the reader's own. These are their reads of the last hours, or of the last day if there are none.
with own as (
    select q.reader_id, q.list_at, r.article_id
    from requests q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
                and r.read_at >= q.list_at - interval 1 day
    qualify r.read_at >= q.list_at - to_hours($recent_hours)
         or max(r.read_at) over (partition by q.reader_id, q.list_at) < q.list_at - to_hours($recent_hours)
), together as (
    select a.list_at, a.article_id, b.article_id as other_id, count(*) as readers
    from recent a
    join recent b on b.list_at = a.list_at and b.reader_id = a.reader_id and b.article_id <> a.article_id
    where exists (select 1 from own o where o.list_at = a.list_at and o.article_id = a.article_id)
    group by all
)
select o.reader_id, o.list_at, t.other_id as article_id, sum(t.readers)::bigint as readers
from own o
join together t on t.list_at = o.list_at and t.article_id = o.article_id
group by all
