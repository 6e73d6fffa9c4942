-- The requests for a retrain before this window, newest first, and the first verdict of record after each.
select r.window_end, r.columns, v.decision, v.challenger_version
from ops.retrain_requests r
left join lateral (
    select decision, challenger_version from ops.verdicts
    where of_record_at is not null and as_of >= r.window_end and as_of <= %(window_end)s
    order by as_of, judged_at limit 1) v on true
where r.window_end < %(window_end)s and r.window_end >= %(since)s
order by r.window_end desc
