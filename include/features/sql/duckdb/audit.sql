-- Counts of values that no feature may have, over the views of a build.
with keyed as (
    select 'reader_profile' as view, reader_id as key, event_timestamp from reader_profile
    union all select 'reader_activity', reader_id, event_timestamp from reader_activity
    union all select 'reader_taste', reader_id, event_timestamp from reader_taste
    union all select 'article_stats', article_id, event_timestamp from article_stats
), repeated as (
    select count(*) - 1 as more from keyed group by view, key, event_timestamp having count(*) > 1
), numbers as (
    select tenure_days::double as number from reader_profile
    union all
    select unnest([impression_count, read_count, read_count_1d, read_seconds, mean_read_seconds,
                   active_day_count]::double[]) from reader_activity
    union all
    select unnest([impression_count_1d, click_count_1d, read_count_1d, read_count_6h, read_count_3h, read_count_1h,
                   read_seconds_1d]::double[]) from article_stats
), shares as (
    select unnest([category_shares, publisher_shares, language_shares]) as shares from reader_taste
)
select (select coalesce(sum(more), 0) from repeated)::bigint as repeated_rows,
       (select count(*) filter (where key is null or event_timestamp is null) from keyed) as unkeyed_rows,
       (select count(*) filter (where event_timestamp > $as_of) from keyed) as later_rows,
       (select min(newest) from (select max(event_timestamp) as newest from keyed group by view)) as newest_at,
       (select count(*) filter (where not isfinite(number) or number < 0) from numbers) as odd_numbers,
       (select count(*) filter (where list_sum(shares) > 1.0001 or list_min(shares) < 0 or not isfinite(list_sum(shares)))
        from shares)
           as odd_shares,
       (select count(*) from requests) as requests,
       (select count(*) from requests q
        semi join reader_activity a on a.reader_id = q.reader_id and a.event_timestamp = q.list_at) as answered,
       (select count(*) from article_stats) as live_articles
