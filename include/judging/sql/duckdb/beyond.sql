-- Measure the lists beyond accuracy: full lists, different articles and their age, categories, the largest publisher.
with sizes as (
    select q.reader_id, q.list_at, count(l.article_id) as places,
           count(distinct a.category) as categories
    from requests q
    left join lists l on l.reader_id = q.reader_id and l.list_at = q.list_at
    left join articles a on a.list_at = l.list_at and a.article_id = l.article_id
    group by all
), shown as (
    select l.article_id, l.score, a.publisher, date_diff('minute', a.published_at, l.list_at) / 60.0 as age_hours
    from lists l
    left join articles a on a.list_at = l.list_at and a.article_id = l.article_id
)
select (select avg((places = $list_length)::int) from sizes) as full_list_share,
       (select avg(categories) from sizes) as mean_category_count,
       (select count(distinct article_id) from shown) as article_count,
       (select median(age_hours) from shown) as median_age_hours,
       (select max(n) / sum(n) from (select count(*) as n from shown where publisher is not null group by publisher))
           as largest_publisher_share,
       (select avg(isfinite(score)::int) from shown) as finite_score_share
