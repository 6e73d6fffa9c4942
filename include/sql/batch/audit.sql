-- What a batch must be before readers see it, counted on the rows as they were written.
with lists as (
    select reader_id, count(*) as places, count(distinct article_id) as articles,
           min(rank) as first_rank, max(rank) as last_rank
    from recs.recommendations where batch_id = %(batch_id)s group by reader_id
)
select (select count(*) from lists) as readers,
       (select count(*) from lists where places = %(list_length)s) as readers_with_full_list,
       (select count(*) from lists where places <> articles) as readers_with_repeats,
       (select count(*) from lists where first_rank <> 1 or last_rank <> places) as readers_with_gaps,
       (select count(*) from recs.recommendations
        where batch_id = %(batch_id)s and (score = 'NaN' or abs(score) = 'Infinity')) as unscored_rows
