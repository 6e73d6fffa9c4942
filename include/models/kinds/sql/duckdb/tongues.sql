-- The languages of each request's reader: those they read, else the one they were shown most, else their region's.
with own as (
    select reader_id, list_at, unnest(languages) as language, unnest(language_shares) as share from readers
), unread as (
    select reader_id, list_at, region from readers where languages is null
), seen as (
    select u.reader_id, u.list_at, t.language as name, count(*) as times
    from unread u
    join shown s on s.reader_id = u.reader_id and s.shown_at < u.list_at and s.known_at < u.list_at
    join topics t on t.article_id = s.article_id
    where t.language is not null
    group by all
), met as (
    select reader_id, list_at, name as language from seen
    qualify row_number() over (partition by reader_id, list_at order by times desc, name) = 1
)
select reader_id, list_at, language from own where share >= $least_share
union all
select reader_id, list_at, language from met
union all
select n.reader_id, n.list_at, l.language
from unread n
join usual_languages l on l.region = n.region
where not exists (select 1 from met m where m.reader_id = n.reader_id and m.list_at = n.list_at)
