-- The readers from whom the crowd's tastes are learnt: the last request of each, moved to the last moment of all.
with last as (
    select reader_id, arg_max(interests, list_at) as interests, arg_max(region, list_at) as region
    from readers
    group by reader_id
)
select reader_id, (select max(list_at) from requests) as list_at, interests, region
from last
order by hash(reader_id, $seed), reader_id
limit $most_readers
