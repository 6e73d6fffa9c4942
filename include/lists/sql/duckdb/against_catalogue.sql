-- Check the listed articles against the catalogue as of the lists' moment, and count identical lists.
with lists as (
    select l.reader_id, l.list_at, l.rank, l.article_id,
           a.article_id is null as is_unknown, coalesce(a.is_flagged, false) as is_flagged,
           coalesce(a.published_at >= l.list_at or a.ingested_at >= l.list_at
                    or a.published_at < l.list_at - to_hours($article_max_age_hours), false) as is_not_live,
           r.article_id is not null as is_read
    from listed l
    left join articles a on a.article_id = l.article_id
    left join (select distinct reader_id, article_id, min(read_at) as read_at from reads group by all) r
           on r.reader_id = l.reader_id and r.article_id = l.article_id and r.read_at < l.list_at
), by_reader as (
    select reader_id, list(article_id order by rank) as articles from lists group by reader_id
), alike as (
    select count(*) as readers from by_reader group by articles
)
select count_if(is_unknown) as unknown_rows, count_if(is_flagged) as flagged_rows, count_if(is_not_live) as dead_rows,
       count_if(is_read) as read_rows, count(distinct article_id) as articles,
       (select max(readers) from alike) as most_alike, (select count(*) from by_reader) as readers
from lists
