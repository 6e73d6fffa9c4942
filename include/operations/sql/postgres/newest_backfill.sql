select id, created_at from backfill order by created_at desc limit 1
