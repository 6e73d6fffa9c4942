-- Differences between two versions of the same days: late events, other new or changed events, and missing events.
with earlier as (
    select hash(t) as content from taken_before t where occurred_at >= $since and occurred_at < $until
), later as (
    select hash(t) as content, coalesce(ingested_at >= $known_until, false) as is_late
    from taken_now t where occurred_at >= $since and occurred_at < $until
)
select (select count(*) from earlier) as before_count,
       (select count(*) from later where is_late) as late_count,
       (select count(*) from later l where not is_late
            and not exists (select 1 from earlier e where e.content = l.content)) as corrected_count,
       (select count(*) from earlier e
            where not exists (select 1 from later l where l.content = e.content)) as gone_count
