select 1 from ops.runs where stage = 'watch' and started_at between %(since)s and %(until)s limit 1
