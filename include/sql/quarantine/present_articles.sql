select * from source.articles
where article_id = any(%(keys)s) and (published_at < %(window_end)s or published_at is null)
