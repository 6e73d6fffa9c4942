-- First stage: a few hundred of all live articles per request: those that promise most time in the reader's topics, hot
-- ones, hot or new ones in the reader's categories, and those read together with the reader's own.
with favourites as (
    select reader_id, list_at, unnest(categories[1:$favourites]) as category from readers
), co_found as (
    select reader_id, list_at, article_id from together
    qualify row_number() over (partition by reader_id, list_at order by closeness desc, article_id) <= $together
         or row_number() over (partition by reader_id, list_at order by nearness desc, article_id) <= $together
), found as (
    select q.reader_id, q.list_at, o.article_id
    from requests q
    join offers o on o.list_at = q.list_at and o.language is null and o.category is null
    union
    select t.reader_id, t.list_at, o.article_id
    from tongues t
    join offers o on o.list_at = t.list_at and o.language = t.language and o.category is null
    union
    select f.reader_id, f.list_at, o.article_id
    from favourites f
    join tongues t on t.reader_id = f.reader_id and t.list_at = f.list_at
    join offers o on o.list_at = f.list_at and o.category = f.category and o.language = t.language
    union
    select reader_id, list_at, article_id from promising
    union
    select reader_id, list_at, article_id from co_found
)
select f.reader_id, f.list_at, f.article_id
from found f
join standings a on a.list_at = f.list_at and a.article_id = f.article_id
where not exists (
    select 1 from reads r
    where r.reader_id = f.reader_id and r.article_id = f.article_id
      and r.read_at < f.list_at and r.known_at < f.list_at)
  -- readers are rarely shown other languages, so the ranker cannot learn that they do not read them
  and (a.language is null
       or exists (select 1 from tongues t
                  where t.reader_id = f.reader_id and t.list_at = f.list_at and t.language = a.language)
       or not exists (select 1 from tongues t where t.reader_id = f.reader_id and t.list_at = f.list_at))
order by f.list_at, f.reader_id, f.article_id
