-- Events in order of time. An event without an id gets one from its content, so that the same event has the same id in
-- the same file or a longer export of it; equal events of one file are numbered to tell them apart.
with named as (
    select * exclude (file_no, file_row_number) replace (
               coalesce(event_id, (md5_number_lower(concat_ws('|', reader_id, article_id, kind, epoch_us(occurred_at),
                   row_number() over (partition by file_no, reader_id, article_id, kind, occurred_at
                                      order by file_row_number))) & 9223372036854775807::ubigint)::bigint) as event_id,
               coalesce(ingested_at, occurred_at) as ingested_at),
           file_no, file_row_number
    from events
)
select * exclude (file_no, file_row_number)
from named
qualify row_number() over (partition by event_id order by ingested_at, file_no, file_row_number) = 1
order by occurred_at, event_id
