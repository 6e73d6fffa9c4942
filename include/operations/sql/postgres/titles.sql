-- What people call these articles.
select article_id, title, category, publisher
from {articles}
where article_id = any(%(ids)s)
