-- Shares of each requested reader's time by category, publisher and language; recent reading counts more. The time of a
-- read is known only when the reader has left. Each taste is a pair of arrays of one length, names and shares, largest
-- first.
with known as (
    select q.reader_id, q.list_at, e.article_id, min(e.occurred_at) as read_at,
           sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = 'read')::double / 1000 as seconds
    from requests q
    join reading_events e on e.reader_id = q.reader_id and e.kind in ('click', 'read')
                         and e.occurred_at < q.list_at and e.ingested_at < q.list_at
                         and e.occurred_at >= q.list_at - to_days($lookback_days)
    group by all
), spent as (
    select k.reader_id, k.list_at, a.category, a.publisher, a.language,
           coalesce(least(k.seconds, $longest_counted_seconds), $unknown_read_seconds)
               * exp(-date_diff('minute', k.read_at, k.list_at) / 1440.0 / $taste_half_life_days * ln(2)) as weight
    from known k
    join articles a on a.article_id = k.article_id
), summed as (
    select reader_id, list_at, dimension, name, sum(round(1e6 * weight)::bigint)::bigint as weight
    from (unpivot spent on category, publisher, language into name dimension value name)
    group by all
), shares as (
    select reader_id, list_at, dimension, name,
           weight::double / sum(weight) over (partition by reader_id, list_at, dimension) as share
    from summed
    qualify row_number() over (partition by reader_id, list_at, dimension order by weight desc, name) <= $most_names
), listed as (
    select reader_id, list_at, dimension,
           list(name order by share desc, name) as names,
           list(share::float order by share desc, name) as shares
    from shares
    group by all
)
select reader_id, list_at as event_timestamp,
       any_value(names) filter (where dimension = 'category') as categories,
       any_value(shares) filter (where dimension = 'category') as category_shares,
       any_value(names) filter (where dimension = 'publisher') as publishers,
       any_value(shares) filter (where dimension = 'publisher') as publisher_shares,
       any_value(names) filter (where dimension = 'language') as languages,
       any_value(shares) filter (where dimension = 'language') as language_shares
from listed
group by reader_id, list_at
order by list_at, reader_id
