-- Per request (row_no), topic and publisher: what was read, long stays counting more, and how much the crowd would have
-- read of what was shown, by its place and its age. What was read without having been shown is counted under topic -1:
-- the crowd's mean may have read anything. Millionths are summed, for a sum of fractions depends on the order of its rows.
with own as (
    select q.row_no, q.reader_id, q.list_at, r.article_id, t.topic, t.publisher,
           exp(-date_diff('minute', r.read_at, q.list_at) / 1440.0 / $half_life_days * ln(2)) as recency,
           case when r.seconds_known_at < q.list_at and r.read_seconds > 0
                then ln(r.read_seconds / greatest(coalesce(t.word_count, $usual_words), 50)) - $usual_stay end as stay
    from asked q
    join reads r on r.reader_id = q.reader_id and r.read_at < q.list_at and r.known_at < q.list_at
    join topics t on t.article_id = r.article_id
), pace as (
    select row_no, sum(round(1e6 * stay)::bigint)::double / 1e6 / (count(stay) + 4) as pace from own group by row_no
), gained as (
    select o.row_no, o.topic, o.publisher, s.article_id is null as is_unseen, round(1e6 * o.recency)::bigint as recency,
           round(1e6 * o.recency * case when o.stay is null then $unknown_gain  -- greatest and least pass over nulls
                                         else greatest(0.0, least(4.0, 1.0 + 1.2 * (o.stay - p.pace))) end)::bigint as gain
    from own o
    join pace p on p.row_no = o.row_no
    left join shown s on s.reader_id = o.reader_id and s.article_id = o.article_id
                     and s.shown_at < o.list_at and s.known_at < o.list_at
), seen as (
    select q.row_no, t.topic, t.publisher, p.rate,
           date_diff('minute', t.published_at, s.shown_at) / 60.0 as age_hours,
           exp(-date_diff('minute', s.shown_at, q.list_at) / 1440.0 / $half_life_days * ln(2)) as recency
    from asked q
    join shown s on s.reader_id = q.reader_id and s.shown_at < q.list_at and s.known_at < q.list_at
    join topics t on t.article_id = s.article_id
    join position_rates p on p.position = least(coalesce(s.position, 0), $last_position)
), counted as (
    select row_no, topic, publisher, gain, 0::bigint as chance from gained
    union all
    select row_no, -1, null, 0::bigint, recency from gained where is_unseen
    union all
    select row_no, topic, publisher, 0::bigint, round(1e6 * recency * rate * coalesce(g.lift, 1.0))::bigint
    from seen
    asof left join age_rates g on seen.age_hours >= g.from_hours
)
select row_no, topic, publisher, sum(gain)::double / 1e6 as gain, sum(chance)::double / 1e6 as chance
from counted
group by row_no, topic, publisher
order by row_no, topic, publisher
