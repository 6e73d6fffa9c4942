-- In how many of the champion's last windows up to this one each column moved.
select subject, count(*) from ops.drift
where is_drifted and usual is not null and model_version = %(model_version)s and window_end in (
    select distinct window_end from ops.drift
    where subject = 'window' and model_version = %(model_version)s and window_end <= %(window_end)s
    order by window_end desc limit %(windows)s)
group by subject
