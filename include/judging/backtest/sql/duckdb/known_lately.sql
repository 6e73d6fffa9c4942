-- The known events that a step needs: the last day, earlier events of the asked readers, and earlier reads of articles
-- that the same reader read again on that day. No version knows more of the crowd (features/crowd_events.sql).
with lately as (
    select * from all_events
    where occurred_at >= $moment - interval 1 day and occurred_at < $moment and ingested_at < $moment
), before as (
    select * from all_events
    where occurred_at >= $start and $moment - interval 1 day > occurred_at and ingested_at < $moment
)
select * from lately
union all
select b.* from before b
where b.reader_id in (select who_id from asked)
   or b.kind in ('click', 'read') and exists (
        select 1 from lately l
        where l.reader_id = b.reader_id and l.article_id = b.article_id and l.kind in ('click', 'read'))
