-- Old alerts with their deliveries, but for threads of kept incidents and those in which a channel still waits for one.
-- A channel that is not set any more waits for nothing.
delete from ops.alerts a
where a.raised_at < %(before)s
  and not exists (select from ops.incidents i where i.thread in (a.incident, a.thread))
  and coalesce(nullif(a.thread, ''), a.incident) not in (
      select coalesce(nullif(waiting.thread, ''), waiting.incident)
      from ops.alerts waiting join ops.deliveries d using (alert_id)
      where d.sent_at is null and d.channel = any(%(channels)s))
