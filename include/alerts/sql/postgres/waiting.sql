select count(*) from ops.alerts where sent_at is null
