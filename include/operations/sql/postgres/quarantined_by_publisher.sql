-- The same rows as `quarantined.sql` by check and publisher, most first; a reading event has an article instead, whose
-- publisher the caller knows.
with broken as (
    select check_code as code, table_name, reason, original ->> 'publisher' as publisher,
           case when table_name = 'reading_events' and original ->> 'article_id' ~ '^-?[0-9]{1,18}$'
                then (original ->> 'article_id')::bigint end as article_id
    from quarantine.every_row
    where replayed_into is null and snapshot_id = %(snapshot_id)s
)
select code, table_name, min(reason) as reason, publisher, article_id, count(*) as rows
from broken
group by code, table_name, publisher, article_id
order by rows desc, code, publisher, article_id
limit 1000
