-- The time when each article was first read or shown; an article known only from events gets its row here.
insert into loaded.articles (article_id, first_seen_at)
select article_id, min(occurred_at) from loaded.draft_events group by article_id
on conflict (article_id) do update set first_seen_at = least(articles.first_seen_at, excluded.first_seen_at)
