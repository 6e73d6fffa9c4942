-- Every reader's first read of every article, with its session: the publisher's, or else reading without a pause longer
-- than the gap. The session's last article is the one that next-read mode asks for.
with clicks as (
    select event_id, reader_id, article_id, session_id, occurred_at,
           occurred_at - lag(occurred_at) over (partition by reader_id order by occurred_at, event_id)
               <= to_minutes($gap_minutes) as is_going_on
    from reading_events
    where kind in ('click', 'read')
), numbered as (
    select *, case when session_id is null
                   then sum((not coalesce(is_going_on, false))::int) over (partition by reader_id order by occurred_at, event_id)
                   else 0 end::bigint as sitting_no
    from clicks
), first as (
    select reader_id, session_id, sitting_no, article_id, occurred_at as read_at
    from numbered
    qualify row_number() over (partition by reader_id, article_id order by occurred_at, event_id, article_id) = 1
)
select *,
       max(read_at) over (partition by reader_id, session_id, sitting_no) as last_read_at,
       min(read_at) over (partition by reader_id, session_id, sitting_no) < last_read_at
           and row_number() over (partition by reader_id, session_id, sitting_no order by read_at desc, article_id) = 1
           as is_asked_for
from first
