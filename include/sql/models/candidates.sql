-- First stage: a few hundred articles per request out of all live ones: what promises most time in the reader's topics,
-- what is hot, what is hot or new in their categories, and what goes together with what they read. What is hot or new is
-- taken per language, so that readers of a small language find theirs.
with counted as (
    select *, greatest(coalesce(word_count, 500), 50) as words from articles
), usual as (
    select list_at, sum(click_count_1d)::double / greatest(sum(impression_count_1d), 1) as click_share,
           nullif(sum(round(1000 * read_seconds_1d)::bigint), 0)::double / 1000
               / nullif(sum(click_count_1d * words), 0) as seconds_per_word
    from counted
    group by list_at
), trend as (
    select a.list_at, a.article_id, coalesce(a.category, '') as category, coalesce(a.language, '') as language,
           coalesce(a.publisher, '') as publisher, t.topic, a.published_at,
           3 * a.read_count_1h + 2 * a.read_count_3h + a.read_count_6h + 0.2 * a.read_count_1d
               + 0.005 * a.impression_count_1d as heat,
           date_diff('minute', a.published_at, a.list_at) / 60.0 as age_hours,
           -- the time it takes to read, and how much more of that others spent than on what is shown as often
           ln(a.words) + ln((coalesce(a.read_seconds_1d / (a.words * u.seconds_per_word), a.click_count_1d) + 2.0)
                            / (a.impression_count_1d * u.click_share + 2.0)) as worth
    from counted a
    join usual u on u.list_at = a.list_at
    left join topics t on t.article_id = a.article_id
), promised as (
    -- what an article promises to whoever likes what it is about: time to read, others' clicks, and its age
    select t.list_at, t.article_id, t.language, t.publisher, t.topic,
           t.worth + ln(coalesce(g.lift, 1.0)) as promise
    from trend t
    asof left join age_rates g on t.age_hours >= g.from_hours
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
    select list_at, topic, language, publisher, article_id, promise from promised where topic is not null
    qualify row_number() over (partition by list_at, topic, language order by promise desc, article_id) <= $topical
), favourites as (
    select reader_id, list_at, unnest(categories[1:$favourites]) as category from readers
), liked as (
    select reader_id, list_at, topic as name, taste from tastes
    qualify row_number() over (partition by reader_id, list_at order by taste desc, name) <= $liked
), promising as (
    select k.reader_id, k.list_at, p.article_id
    from liked k
    join tongues t on t.reader_id = k.reader_id and t.list_at = k.list_at
    join topical p on p.list_at = k.list_at and p.topic = k.name and p.language = t.language
    left join publisher_tastes h
           on h.reader_id = k.reader_id and h.list_at = k.list_at and h.publisher = p.publisher
    qualify row_number() over (
        partition by k.reader_id, k.list_at
        order by k.taste + coalesce(h.taste, 0) + p.promise desc, p.article_id) <= $promising
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
    select reader_id, list_at, article_id from promising
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
  -- readers are rarely shown another language, so the ranker cannot learn that they would not read it
  and (a.language is null
       or exists (select 1 from tongues t
                  where t.reader_id = f.reader_id and t.list_at = f.list_at and t.language = a.language)
       or not exists (select 1 from tongues t where t.reader_id = f.reader_id and t.list_at = f.list_at))
order by f.list_at, f.reader_id, f.article_id
