-- One row per key, and one delivery to each channel: the first report writes them, later ones change nothing.
with raised as (
    insert into ops.alerts (incident, severity, subject, body, thread, facts, raised_at)
    values (%(incident)s, %(severity)s, %(subject)s, %(body)s, %(thread)s, %(facts)s, %(raised_at)s)
    on conflict (incident) do nothing
    returning alert_id
)
insert into ops.deliveries (alert_id, channel, sent_at, refused)
select alert_id, channel, sent_at, refused
from raised, unnest(%(channels)s::text[], %(sent)s::timestamptz[], %(refused)s::jsonb[]) as one (channel, sent_at, refused)
