-- The most promising articles of each topic and language.
select list_at, topic, language, publisher, article_id, promise,
       row_number() over (partition by list_at, topic, language order by promise desc, article_id) as place
from standings
where topic is not null and language is not null
qualify place <= $topical
order by list_at, language, topic, place
