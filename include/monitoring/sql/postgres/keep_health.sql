insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads, read_seconds)
values (%(window_end)s, %(window_hours)s, %(model_version)s, %(slice)s, %(readers)s, %(impressions)s, %(reads)s,
        %(read_seconds)s)
on conflict (window_end, window_hours, model_version, slice) do update
    set readers = excluded.readers, impressions = excluded.impressions, reads = excluded.reads,
        read_seconds = excluded.read_seconds, measured_at = now()
