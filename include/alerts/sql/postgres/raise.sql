-- One row per incident: the first report writes it, later ones change nothing.
insert into ops.alerts (incident, severity, subject, body, raised_at, sent_at)
values (%(incident)s, %(severity)s, %(subject)s, %(body)s, %(raised_at)s, %(sent_at)s)
on conflict (incident) do nothing
