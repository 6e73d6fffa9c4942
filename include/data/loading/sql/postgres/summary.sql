-- The contents of the loaded log.
select (select min(occurred_at) from loaded.events),
       (select max(occurred_at) from loaded.events),
       (select count(*) from loaded.events),
       (select count(*) from loaded.articles where coalesce(published_at, first_seen_at) is not null),
       (select count(*) from loaded.articles where not is_described),
       (select count(*) from loaded.articles where coalesce(published_at, first_seen_at) is null),
       (select count(*) from loaded.readers where coalesce(signed_up_at, first_seen_at) is not null),
       (select count(*) from loaded.events e join loaded.articles a using (article_id)
        where e.occurred_at < coalesce(a.published_at, a.first_seen_at))
