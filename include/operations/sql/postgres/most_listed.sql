select article_id, count(*) from recs.current group by article_id order by count(*) desc, article_id limit 1
