-- The standing of each live article at each moment, the same for all readers: whether it rises, its place among hot
-- articles, its subject, and its promise to readers who like the subject: time to read, others' clicks, and its age.
with counted as (
    select *, greatest(coalesce(word_count, 500), 50) as words,
           date_diff('minute', published_at, list_at) / 60.0 as age_hours
    from articles
), usual as (
    select list_at, sum(click_count_1d)::double / greatest(sum(impression_count_1d), 1) as click_share,
           nullif(sum(round(1000 * read_seconds_1d)::bigint), 0)::double / 1000
               / nullif(sum(click_count_1d * words), 0) as seconds_per_word
    from counted
    group by list_at
), seen as (
    select a.*, t.topic,
           3 * a.read_count_1h + 2 * a.read_count_3h + a.read_count_6h + 0.2 * a.read_count_1d
               + 0.005 * a.impression_count_1d as heat,
           (a.read_count_1h + 1.0) / (a.read_count_3h / 3.0 + 1.0) as trend,
           cume_dist() over (partition by a.list_at order by 2 * a.read_count_1h + a.read_count_3h) as heat_place,
           -- its time to read, and how much more time others spent on it than on articles shown as often
           ln(a.words) + ln((coalesce(a.read_seconds_1d / (a.words * u.seconds_per_word), a.click_count_1d) + 2.0)
                            / (a.impression_count_1d * u.click_share + 2.0)) as worth
    from counted a
    join usual u on u.list_at = a.list_at
    left join topics t on t.article_id = a.article_id
)
select s.* exclude (words, worth), s.worth + ln(coalesce(g.lift, 1.0)) as promise
from seen s
asof left join age_rates g on s.age_hours >= g.from_hours
order by s.list_at, s.article_id
