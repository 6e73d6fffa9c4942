-- The champion's last windows up to this one, newest first, and whether each window as a whole drifted.
select window_end, is_drifted from ops.drift
where subject = 'window' and model_version = %(model_version)s and window_end <= %(window_end)s
order by window_end desc limit %(windows)s
