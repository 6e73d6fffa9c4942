-- Where other articles have titles and categories, name an article known only from events by its id.
update loaded.articles a
set title = case when has.title then 'Article ' || coalesce(n.name, a.article_id::text) end,
    category = case when has.category then 'unknown' end
from (select count(title) > 0 as title, count(category) > 0 as category from loaded.articles where is_described) has,
     loaded.articles b left join loaded.names n on n.kind = 'article' and n.id = b.article_id
where not a.is_described and b.article_id = a.article_id
