-- Reading in the window, from our lists and elsewhere, of readers who were shown a list and of others, in all and by region.
with marked as (
    select e.reader_id, e.kind, coalesce(e.dwell_seconds, 0) as seconds, b.batch_id is not null as is_ours,
           coalesce(s.region, 'unknown') as region
    from reading_events e
    left join batches b on b.batch_id = e.batch_id
    left join subscribers s on s.reader_id = e.reader_id
),
read as (
    select *, kind = $read_kind as is_read, if(kind = 'read', seconds, 0) as read_seconds,
           bool_or(is_ours) over (partition by reader_id) as is_shown
    from marked
)
select slice,
       count(distinct reader_id) filter (where is_shown) as readers_shown,
       count(distinct reader_id) filter (where not is_shown) as readers_others,
       count(*) filter (where is_read) as reads,
       count(*) filter (where is_read and is_ours) as list_reads,
       coalesce(sum(read_seconds) filter (where is_shown), 0) as seconds_shown,
       coalesce(sum(read_seconds) filter (where not is_shown), 0) as seconds_others
from (select *, 'all' as slice from read union all by name select *, region as slice from read)
group by slice
order by slice <> 'all', readers_shown + readers_others desc, slice
limit $most
