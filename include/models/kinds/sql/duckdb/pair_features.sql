-- Second stage: all features of the ranker, one row per pair of request and article with the pair's own columns.
-- Every request has its reader; the join is a left join because an inner one is planned as every reader by every article
-- of a moment.
with categories as (
    select reader_id, list_at, unnest(categories) as category, unnest(category_shares) as share from readers
), publishers as (
    select reader_id, list_at, unnest(publishers) as publisher, unnest(publisher_shares) as share from readers
), languages as (
    select reader_id, list_at, unnest(languages) as language, unnest(language_shares) as share from readers
)
select p.*,
       coalesce(r.region, '') as region,
       coalesce(r.plan, '') as plan,
       coalesce(a.category, '') as category,
       coalesce(a.language, '') as language,
       a.read_count_1h, a.read_count_3h, a.read_count_6h, a.read_count_1d, a.impression_count_1d, a.trend, a.heat_place,
       (a.click_count_1d + 1.0) / (a.impression_count_1d + 15.0) as click_share,
       a.read_seconds_1d / nullif(a.read_count_1d, 0) as article_mean_read_seconds,
       a.age_hours, a.word_count,
       r.tenure_days, r.impression_count, r.read_count, r.read_count_1d as reader_read_count_1d,
       r.mean_read_seconds, r.active_day_count,
       coalesce(c.share, 0) as category_share,
       coalesce(h.share, 0) as publisher_share,
       coalesce(l.share, 0) as language_share,
       coalesce(list_contains(r.interests, a.category), false)::int as is_interest,
       (g.language is not null)::int as is_own_language,
       s.taste, s.taste_spread, b.taste as publisher_taste,
       coalesce(w.regional_pull, 0) as regional_pull,
       coalesce(t.co_read, 0) as co_read,
       coalesce(t.co_read_strongest, 0) as co_read_strongest,
       coalesce(t.read_together, 0) as read_together,
       coalesce(t.read_together_share, 0) as read_together_share,
       coalesce(t.read_together_last, 0) as read_together_last,
       coalesce(t.following_last, 0) as following_last
from pairs p
join standings a on a.article_id = p.article_id and a.list_at = p.list_at
left join readers r on r.reader_id = p.reader_id and r.list_at = p.list_at
left join categories c on c.reader_id = p.reader_id and c.list_at = p.list_at and c.category = a.category
left join publishers h on h.reader_id = p.reader_id and h.list_at = p.list_at and h.publisher = a.publisher
left join languages l on l.reader_id = p.reader_id and l.list_at = p.list_at and l.language = a.language
left join tongues g on g.reader_id = p.reader_id and g.list_at = p.list_at and g.language = a.language
left join publisher_tastes b on b.reader_id = p.reader_id and b.list_at = p.list_at and b.publisher = a.publisher
left join regional w on w.article_id = p.article_id and w.region = r.region
left join tastes s on s.reader_id = p.reader_id and s.list_at = p.list_at and s.topic = a.topic
left join together t on t.reader_id = p.reader_id and t.list_at = p.list_at and t.article_id = p.article_id
order by p.list_at, p.reader_id, p.article_id
