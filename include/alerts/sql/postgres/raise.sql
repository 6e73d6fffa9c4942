-- One row per key: the first report writes it, later ones change nothing.
insert into ops.alerts (incident, severity, subject, body, thread, raised_at, sent_at)
values (%(incident)s, %(severity)s, %(subject)s, %(body)s, %(thread)s, %(raised_at)s, %(sent_at)s)
on conflict (incident) do nothing
