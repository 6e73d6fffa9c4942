-- Measures of spans of time: of reads the median of each number, the reading time that one in ten exceeds, familiarity,
-- the mean position, and the share of each name; of the articles published in a span their medians and shares.
-- Rows count as they were known at the span's end. Reads from our own lists are left out, because they would move with
-- every champion. Of very many readers a sample counts, the same in every span. No article counts for more than a share
-- of a span's reads, so one story that everybody opens moves nothing by itself. Familiarity is how much more often
-- readers read the categories of their habits than others do; habits of few reads count as partly those of everybody.
with known as (
    select s.span_end, s.habit, e.event_id, e.reader_id, e.article_id, e.dwell_seconds, e.position,
           date_diff('second', a.published_at, e.occurred_at) / 3600.0 as article_age_hours,
           a.word_count, a.category, a.publisher, coalesce(r.region, 'unknown') as region,
           count(*) over (partition by s.span_end) as read_count,
           row_number() over (partition by s.span_end, e.article_id order by hash(e.event_id), e.article_id) as number_in_article
    from spans s
    join reading_events e
        on e.occurred_at >= s.span_start and e.occurred_at < s.span_end and e.ingested_at < s.known_until
    join articles a on a.article_id = e.article_id
    left join subscribers r on r.reader_id = e.reader_id
    where e.kind = $read_kind and e.batch_id is null and hash(e.reader_id) % 1000000 < $readers_of_million
), habit_readers as (
    select habit, reader_id, sum(reads) as reads from habits group by habit, reader_id
), habit_categories as (
    select habit, category, sum(reads) / sum(sum(reads)) over (partition by habit) as share
    from habits
    group by habit, category
), reads as (
    select k.*, ln((coalesce(h.reads, 0) + $borrowed_reads * c.share) / (r.reads + $borrowed_reads) / c.share) as lift
    from known k
    left join habit_readers r on r.habit = k.habit and r.reader_id = k.reader_id
    left join habit_categories c on c.habit = k.habit and c.category = k.category
    left join habits h on h.habit = k.habit and h.reader_id = k.reader_id and h.category = k.category
    where k.number_in_article <= greatest(1, ceil(k.read_count * $most_of_one_article))
), news as (
    select s.span_end, a.word_count, a.category, a.publisher,
           date_diff('second', a.published_at, a.ingested_at) / 60.0 as publishing_lag_minutes
    from spans s
    join articles a on a.published_at >= s.span_start and a.published_at < s.span_end and a.ingested_at < s.known_until
), numbers as (
    select span_end, 'reads' as subject,
           unnest(['dwell_seconds', 'long_dwell_seconds', 'article_age_hours', 'word_count', 'familiarity',
                   'position']) as measure,
           unnest([dwell_seconds, dwell_seconds, article_age_hours, word_count, lift, position]) as value
    from reads
    union all by name
    select span_end, 'news' as subject,
           unnest(['publishing_lag_minutes', 'word_count']) as measure,
           unnest([publishing_lag_minutes, word_count]) as value
    from news
), names as (
    select span_end, 'reads' as subject, unnest(['category', 'publisher', 'region']) as measure,
           coalesce(unnest([category, publisher, region]), 'none') as name
    from reads
    union all by name
    select span_end, 'news' as subject, unnest(['category', 'publisher']) as measure,
           coalesce(unnest([category, publisher]), 'none') as name
    from news
)
select span_end, subject, measure, '' as name,
       -- rounded, because sums of numbers depend on the order of the threads that add them up
       round(case measure when 'familiarity' then exp(avg(value))
                          when 'long_dwell_seconds' then quantile_cont(value, 0.9)
                          when 'position' then avg(value)
                          else median(value) end, 9) as value,
       count(value) as row_count
from numbers
where not isnan(value)  -- nor null
group by span_end, subject, measure
union all by name
select span_end, subject, measure, name,
       round(count(*) / sum(count(*)) over of_column, 9) as value, sum(count(*)) over of_column as row_count
from names
group by span_end, subject, measure, name
window of_column as (partition by span_end, subject, measure)
order by span_end, subject, measure, name
