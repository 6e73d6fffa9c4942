-- Why each ranked article is there, in plain words; the strongest of what the ranker saw.
with because as (
    select k.reader_id, k.list_at, k.article_id, first(b.title order by c.weight desc, b.article_id) as title
    from ranked k
    join reads r on r.reader_id = k.reader_id and r.read_at < k.list_at and r.known_at < k.list_at
                and r.read_at >= k.list_at - interval 2 day
    join co_reads c on c.list_at = k.list_at and c.article_id = r.article_id and c.other_id = k.article_id
    join articles b on b.list_at = k.list_at and b.article_id = r.article_id
    group by all
)
select k.reader_id, k.list_at, k.rank, k.article_id, k.score,
       case
           when k.co_read_strongest >= $strong_co_read and w.title is not null
               then 'Readers of “' || w.title || '” read this too'
           when k.co_read_strongest >= $strong_co_read and w.article_id is not null then 'Read by those who read what you read'
           when k.category_share >= $strong_share then 'You spend time on ' || a.category
           when k.read_count_6h >= $strong_reads then 'Read by many right now'
           when k.age_hours <= $fresh_hours then 'New in ' || coalesce(a.category, 'the news')
           else 'Something different for you'
       end as reason
from ranked k
join articles a on a.list_at = k.list_at and a.article_id = k.article_id
left join because w on w.reader_id = k.reader_id and w.list_at = k.list_at and w.article_id = k.article_id
order by k.list_at, k.reader_id, k.rank
