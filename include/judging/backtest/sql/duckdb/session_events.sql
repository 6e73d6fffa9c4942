-- The events of each asked session's reader, under the session's own id: those known before the moment, and the session's
-- earlier reads, shifted in time so that the question falls on the moment. For training, the answer is included.
with history as (
    select a.reader_id, e.* exclude (reader_id)
    from asked a
    join reading_events e on e.reader_id = a.who_id and e.occurred_at < a.list_at and e.ingested_at < a.list_at
                         and e.occurred_at >= a.list_at - to_days($lookback_days)
    where e.kind = 'impression'
       or not exists (
            select 1 from first_reads f
            where f.reader_id = a.who_id and f.article_id = e.article_id
              and f.session_id is not distinct from a.session_id and f.sitting_no = a.sitting_no)
), session as (
    select a.reader_id, a.list_at - (a.asked_at - e.occurred_at) as moved_at, e.* exclude (reader_id)
    from asked a
    join first_reads f on f.reader_id = a.who_id and f.session_id is not distinct from a.session_id
                      and f.sitting_no = a.sitting_no
    join session_source e on e.reader_id = a.who_id and e.article_id = f.article_id and e.kind in ('click', 'read')
                         and e.occurred_at >= f.read_at
    where (f.read_at < a.asked_at and e.occurred_at < a.asked_at)
       or ($with_answers and f.article_id = a.article_id and e.occurred_at < a.asked_at + interval 4 hour)
)
select * from history
union all by name
select * exclude (moved_at) replace (moved_at as occurred_at, moved_at as ingested_at) from session
