-- Compare a batch with the live one: places with the same article for the same reader, the readers and articles of
-- each, and readers who would get fewer articles.
with made as (
    select reader_id, article_id from recs.recommendations where batch_id = %(batch_id)s
), live as (
    select r.reader_id, r.article_id from recs.recommendations r join recs.live l using (batch_id)
), sizes as (
    select coalesce(m.reader_id, l.reader_id) as reader_id, coalesce(m.n, 0) as ours, coalesce(l.n, 0) as theirs
    from (select reader_id, count(*) as n from made group by reader_id) m
    full join (select reader_id, count(*) as n from live group by reader_id) l on l.reader_id = m.reader_id
)
select (select count(*) from made join live using (reader_id, article_id)) as same_places,
       (select count(*) from live) as live_places,
       (select count(distinct article_id) from made) as made_articles,
       (select count(distinct article_id) from live) as live_articles,
       (select count(*) from sizes where ours > 0) as made_readers,
       (select count(*) from sizes where theirs > 0) as live_readers,
       (select count(*) from sizes where ours < theirs) as readers_with_fewer
