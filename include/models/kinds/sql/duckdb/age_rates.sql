-- How much more or less often articles of an age are read than their position explains; ages as in table `ages`.
with seen as (
    select date_diff('minute', t.published_at, s.shown_at) / 60.0 as age_hours, p.rate,
           r.article_id is not null as is_read
    from shown s
    join topics t on t.article_id = s.article_id
    join position_rates p on p.position = least(coalesce(s.position, 0), $last_position)
    left join reads r on r.reader_id = s.reader_id and r.article_id = s.article_id
    where s.shown_at < $until
)
select a.from_hours,
       (count(*) filter (where s.is_read) + 5.0) / (coalesce(sum(round(1e6 * s.rate)::bigint), 0) / 1e6 + 5.0) as lift
from ages a
left join seen s on s.age_hours >= a.from_hours and s.age_hours < a.to_hours
group by all
order by a.from_hours
