-- Old windows of drift, but for the champion's newest ones, from which the next window counts on.
delete from ops.drift d
where d.window_end < %(before)s
  and (d.model_version, d.window_end) not in (
      select model_version, window_end from ops.drift
      where subject = 'window' and model_version = (select version from ops.champions order by seq desc limit 1)
      order by window_end desc
      limit %(drift_windows)s)
