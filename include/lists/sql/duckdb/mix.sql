-- The share of all places by category, publisher, age and reason, one row each.
with places as (
    select a.category, a.publisher, l.reason, date_diff('hour', a.published_at, l.list_at) as age_hours
    from listed l left join articles a using (article_id)
), kinds as (
    select 'category' as kind, coalesce(category, 'none') as name, 0 as place from places
    union all
    select 'publisher', coalesce(publisher, 'none'), 0 from places
    union all
    select 'reason', regexp_replace(reason, '“.*”', '“…”'), 0 from places
    union all
    select 'age',
           case when age_hours < 1 then 'under an hour' when age_hours < 3 then '1 to 3 hours'
                when age_hours < 6 then '3 to 6 hours' when age_hours < 12 then '6 to 12 hours'
                when age_hours < 24 then '12 to 24 hours' else 'a day or more' end,
           case when age_hours < 1 then 1 when age_hours < 3 then 2 when age_hours < 6 then 3
                when age_hours < 12 then 4 when age_hours < 24 then 5 else 6 end
    from places
)
select kind, name, count(*) / (select count(*) from places) as share
from kinds group by kind, name, place
order by kind, place, share desc, name
