-- The best of the scored pairs, with what their reasons need.
select reader_id, list_at, article_id, score,
       row_number() over (partition by reader_id, list_at order by score desc, article_id) as rank,
       co_read_strongest, category_share, read_count_6h, age_hours
from scored
qualify rank <= $depth
