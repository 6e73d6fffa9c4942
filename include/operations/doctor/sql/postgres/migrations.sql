select name from public.migrations
