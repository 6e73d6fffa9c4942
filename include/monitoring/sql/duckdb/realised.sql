-- Impressions, reads and reading time on our own lists in the window, by model version, in all and by region.
with ours as (
    select b.model_version, coalesce(s.region, 'unknown') as region, e.reader_id, e.kind, e.dwell_seconds
    from reading_events e
    join batches b on b.batch_id = e.batch_id
    left join subscribers s on s.reader_id = e.reader_id
)
select model_version, slice,
       count(distinct reader_id) as readers,
       count(*) filter (where kind = 'impression') as impressions,
       count(*) filter (where kind = $read_kind) as reads,
       coalesce(sum(dwell_seconds) filter (where kind = 'read'), 0) as read_seconds
from (select *, 'all' as slice from ours union all by name select *, 'region ' || region as slice from ours)
group by model_version, slice
order by model_version, slice
