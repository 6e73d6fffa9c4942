select sum(impressions), sum(reads), sum(read_seconds) from ops.health
where slice = 'all' and window_end = (select max(window_end) from ops.health where slice = 'all')
