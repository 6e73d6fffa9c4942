-- What runs of `monitor` measured and requested, by the moments that they worked as of.
with windows as (
    select as_of from ops.runs where stage = 'watch' and started_at >= %(since)s and run_id like any(%(runs)s)
), health as (
    delete from ops.health where window_end in (select as_of from windows)
), drift as (
    delete from ops.drift where window_end in (select as_of from windows)
)
delete from ops.retrain_requests where window_end in (select as_of from windows)
