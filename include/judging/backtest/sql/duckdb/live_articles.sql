-- The articles a list made at the moment could hold.
select article_id from articles
where published_at >= $moment - to_hours($article_max_age_hours) and not is_flagged
