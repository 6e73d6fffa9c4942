-- The reason for each ranked article, in plain words: the strongest of the ranker's signals.
-- Joins two tables at a time, because one join of all is planned as every request by every live article.
with asked as materialized (
    select distinct reader_id, list_at from ranked where co_read_strongest >= $strong_co_read
), recent as materialized (
    select q.reader_id, q.list_at, r.article_id, r.read_at
    from asked q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
                and r.read_at >= q.list_at - interval 2 day
), own as materialized (
    select r.reader_id, r.list_at, r.article_id, b.title
    from recent r
    join articles b on b.list_at = r.list_at and b.article_id = r.article_id and b.title is not null
    qualify row_number() over (partition by r.reader_id, r.list_at order by r.read_at desc, r.article_id) <= $latest_reads
), pairs_of_reads as materialized (
    select k.reader_id, k.list_at, k.article_id, o.article_id as own_id, o.title
    from ranked k
    join own o on o.reader_id = k.reader_id and o.list_at = k.list_at
    where k.co_read_strongest >= $strong_co_read
), because as materialized (
    select t.reader_id, t.list_at, t.article_id, first(t.title order by c.weight desc, t.own_id) as title
    from pairs_of_reads t
    join co_reads c on c.list_at = t.list_at and c.article_id = t.own_id and c.other_id = t.article_id
    group by all
)
select k.reader_id, k.list_at, k.rank, k.article_id, k.score,
       case
           when k.co_read_strongest >= $strong_co_read and w.title is not null
               then 'Readers of “' || w.title || '” read this too'
           when k.co_read_strongest >= $strong_co_read then 'Read by those who read what you read'
           when k.category_share >= $strong_share then 'You spend time on ' || a.category
           when k.read_count_6h >= $strong_reads then 'Read by many right now'
           when k.age_hours <= $fresh_hours then 'New in ' || coalesce(a.category, 'the news')
           else 'Something different for you'
       end as reason
from ranked k
join articles a on a.list_at = k.list_at and a.article_id = k.article_id
left join because w on w.reader_id = k.reader_id and w.list_at = k.list_at and w.article_id = k.article_id
order by k.list_at, k.reader_id, k.rank
