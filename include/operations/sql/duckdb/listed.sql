-- The readers in whose lists an article is, by place and reason.
select rank, reason, count(*) as readers
from read_parquet($lists)
where article_id = $article_id
group by rank, reason
order by rank, reason
