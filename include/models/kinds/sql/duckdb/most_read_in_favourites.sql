-- Most read lately, weighted with the reader's share of time in the category.
with taste as (
    select reader_id, list_at, unnest(categories) as category, unnest(category_shares) as share from readers
)
select p.reader_id, p.list_at, p.article_id,
       (a.read_count_6h + 0.1 * a.read_count_1d + 0.001 * a.impression_count_1d) * (0.02 + coalesce(t.share, 0))
           as score,
       row_number() over (partition by p.reader_id, p.list_at order by score desc, a.published_at desc, p.article_id)
           as rank,
       'Read by many in ' || coalesce(a.category, 'the news') as reason
from pairs p
join articles a on a.list_at = p.list_at and a.article_id = p.article_id
left join taste t on t.reader_id = p.reader_id and t.list_at = p.list_at and t.category = a.category
qualify rank <= $depth
order by p.list_at, p.reader_id, rank
