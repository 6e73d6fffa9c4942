-- The number of different articles in the lists, and the number of full lists.
select (select count(distinct article_id) from ordered where rank <= $k) as shown_count,
       (select count(*) from (
            select reader_id from ordered where rank <= $k group by reader_id, list_at having count(*) = $k)) as full_count
