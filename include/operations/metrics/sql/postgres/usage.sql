-- What the newest window says of the lists' usage.
select reference -> 'facts' -> 'usage' from ops.runs
where stage = 'watch' and status = 'done' and kind <> 'backfill' and started_at > %(since)s
  and reference -> 'facts' ? 'usage'
order by as_of desc limit 1
