-- Per request (row_no) and article that its reader saw, or found without an impression: its age in the history, the
-- log-odds that the crowd opens an article shown at that place and age (null: found without an impression), how far it
-- was opened, and the log of its reading time relative to the usual for its length (null: unknown).
with own as (
    select q.row_no, q.reader_id, q.list_at, r.article_id, t.topic, t.publisher, t.language, r.read_at,
           case when r.seconds_known_at < q.list_at and r.read_seconds > 0
                then ln(r.read_seconds / greatest(coalesce(t.word_count, $usual_words), 50)) - $usual_stay end as stay
    from asked q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
    join topics t on t.article_id = r.article_id
), tongue as (
    -- an article ignored for its language says nothing about its subject
    select row_no, language as name from own group by row_no, language
    qualify row_number() over (partition by row_no order by count(language) desc, name) = 1
), seen as (
    select q.row_no, s.article_id, t.topic, t.publisher, t.language, p.rate, s.shown_at,
           date_diff('minute', t.published_at, s.shown_at) / 60.0 as age_hours,
           date_diff('minute', s.shown_at, q.list_at) / 1440.0 as age_days
    from asked q
    join shown s on s.reader_id = q.reader_id and s.shown_at < q.list_at and s.known_at < q.list_at
    join topics t on t.article_id = s.article_id
    join position_rates p on p.position = least(coalesce(s.position, 0), $last_position)
    left join tongue on tongue.row_no = q.row_no
    where t.language is not distinct from coalesce(tongue.name, t.language)
), aged as (
    select seen.*, least(rate * coalesce(g.lift, 1.0), 0.9) as usual
    from seen
    asof left join age_rates g on seen.age_hours >= g.from_hours
)
select s.row_no, s.article_id, s.topic, s.publisher, s.language, s.age_days, ln(s.usual / (1 - s.usual)) as odds,
       case when o.article_id is null then 0.0 when o.stay is null then $unknown_gain else 1.0 end as opened, o.stay
from aged s
left join own o on o.row_no = s.row_no and o.article_id = s.article_id
union all
select o.row_no, o.article_id, o.topic, o.publisher, o.language,
       date_diff('minute', o.read_at, o.list_at) / 1440.0, null,
       case when o.stay is null then $unknown_gain else 1.0 end, o.stay
from own o
where not exists (
    select 1 from asked q
    join shown s on s.reader_id = q.reader_id and s.article_id = o.article_id
                and s.shown_at < q.list_at and s.known_at < q.list_at
    where q.row_no = o.row_no)
order by 1, 2
