-- A failure is past once nothing waits for the channel.
update ops.channels set failure = null
where channel = %(channel)s and failure is not null
  and not exists (select from ops.deliveries where channel = %(channel)s and sent_at is null)
