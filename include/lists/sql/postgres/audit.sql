-- Count the faults of a batch in one pass over its rows.
with lists as (
    select count(*) as places, count(distinct article_id) as articles, min(rank) as first_rank, max(rank) as last_rank,
           count(*) filter (where score = 'NaN' or abs(score) = 'Infinity') as unscored
    from recs.recommendations where batch_id = %(batch_id)s group by reader_id
)
select count(*) as readers,
       count(*) filter (where places = %(list_length)s) as readers_with_full_list,
       count(*) filter (where places <> articles) as readers_with_repeats,
       count(*) filter (where first_rank <> 1 or last_rank <> places) as readers_with_gaps,
       coalesce(sum(unscored), 0)::bigint as unscored_rows
from lists
