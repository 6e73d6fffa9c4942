-- The articles that a list made at the moment may hold.
select article_id from articles
where published_at >= $moment - to_hours($article_max_age_hours) and not is_flagged
