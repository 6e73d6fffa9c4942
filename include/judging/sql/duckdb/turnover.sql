-- At the last moment of the hold-out: the share of places in `theirs` whose article `ours` also lists for the same
-- reader, and the share of readers who would get fewer articles.
with last as (
    select max(list_at) as list_at from requests
), sizes as (
    select q.reader_id,
           (select count(*) from ours o where o.reader_id = q.reader_id and o.list_at = q.list_at) as our_places,
           (select count(*) from theirs t where t.reader_id = q.reader_id and t.list_at = q.list_at) as their_places
    from requests q join last using (list_at)
)
select (select avg((o.article_id is not null)::int)
        from theirs t
        join last using (list_at)
        left join ours o on o.reader_id = t.reader_id and o.list_at = t.list_at and o.article_id = t.article_id)
           as kept_place_share,
       (select avg((our_places < their_places)::int) from sizes) as shorter_list_share
