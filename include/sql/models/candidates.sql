-- First stage: a few hundred articles per request out of all live ones: what is hot, what is hot or new in the reader's
-- topics and categories, and what goes together with what they read. What is hot or new is taken per language, so that
-- readers of a small language find theirs.
with trend as (
    select a.list_at, a.article_id, coalesce(a.category, '') as category, coalesce(a.language, '') as language,
           t.topic, a.published_at,
           3 * a.read_count_1h + 2 * a.read_count_3h + a.read_count_6h + 0.2 * a.read_count_1d
               + 0.005 * a.impression_count_1d as heat,
           coalesce(a.word_count, 500) * 0.5 ** (date_diff('minute', a.published_at, a.list_at) / 60.0 / $fading_hours)
               as promise
    from articles a
    left join topics t on t.article_id = a.article_id
), trending as (
    select list_at, language, article_id,
           row_number() over (partition by list_at order by heat desc, published_at desc, article_id) as place,
           row_number() over (partition by list_at, language order by heat desc, published_at desc, article_id)
               as place_in_language
    from trend
), leaders as (
    select list_at, category, language, article_id from trend
    qualify row_number() over (
                partition by list_at, category, language order by heat desc, published_at desc, article_id) <= $leading
         or row_number() over (
                partition by list_at, category, language order by published_at desc, article_id) <= $fresh
), topical as (
    select list_at, topic, language, article_id from trend where topic is not null
    qualify row_number() over (
                partition by list_at, topic, language order by heat desc, published_at desc, article_id) <= $topical_hot
         or row_number() over (
                partition by list_at, topic, language order by promise desc, article_id) <= $topical_new
), tongues as (
    select reader_id, list_at, unnest(languages[1:$languages]) as language from readers
), favourites as (
    select reader_id, list_at, unnest(categories[1:$favourites]) as category from readers
), liked as (
    select reader_id, list_at, topic, topic as name from tastes
    qualify row_number() over (partition by reader_id, list_at order by taste desc, name) <= $liked
), co_found as (
    select q.reader_id, q.list_at, c.other_id as article_id
    from requests q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
                and r.read_at >= q.list_at - interval 2 day
    join co_reads c on c.list_at = q.list_at and c.article_id = r.article_id
    group by q.reader_id, q.list_at, c.other_id
    qualify row_number() over (partition by q.reader_id, q.list_at
                               order by sum(round(1e6 * c.weight)::bigint) desc, c.other_id) <= $together
         or row_number() over (partition by q.reader_id, q.list_at
                               order by sum(round(1e6 * c.together)::bigint) desc, c.other_id) <= $together
), found as (
    select q.reader_id, q.list_at, t.article_id
    from requests q
    join trending t on t.list_at = q.list_at and t.place <= $trending
    union
    select l.reader_id, l.list_at, t.article_id
    from tongues l
    join trending t on t.list_at = l.list_at and t.language = l.language and t.place_in_language <= $trending
    union
    select f.reader_id, f.list_at, l.article_id
    from favourites f
    join tongues t on t.reader_id = f.reader_id and t.list_at = f.list_at
    join leaders l on l.list_at = f.list_at and l.category = f.category and l.language = t.language
    union
    select k.reader_id, k.list_at, p.article_id
    from liked k
    join tongues t on t.reader_id = k.reader_id and t.list_at = k.list_at
    join topical p on p.list_at = k.list_at and p.topic = k.topic and p.language = t.language
    union
    select reader_id, list_at, article_id from co_found
)
select f.reader_id, f.list_at, f.article_id
from found f
join articles a on a.list_at = f.list_at and a.article_id = f.article_id
where not exists (
    select 1 from reads r
    where r.reader_id = f.reader_id and r.article_id = f.article_id
      and r.read_at < f.list_at and r.known_at < f.list_at)
order by f.list_at, f.reader_id, f.article_id
