-- The offers of a moment to all readers: hot articles, overall and per language, and hot or new ones per category and
-- language. Languages count separately so that readers of a small one find articles; null means any.
with live as (
    select list_at, article_id, coalesce(category, '') as category, coalesce(language, '') as language, heat, published_at
    from standings
), trending as (
    select list_at, language, article_id,
           row_number() over (partition by list_at order by heat desc, published_at desc, article_id) as place,
           row_number() over (partition by list_at, language order by heat desc, published_at desc, article_id)
               as place_in_language
    from live
)
select list_at, null::varchar as category, null::varchar as language, article_id from trending where place <= $trending
union all
select list_at, null, language, article_id from trending where place_in_language <= $trending
union all
select list_at, category, language, article_id from live
qualify row_number() over (
            partition by list_at, category, language order by heat desc, published_at desc, article_id) <= $leading
     or row_number() over (
            partition by list_at, category, language order by published_at desc, article_id) <= $fresh
