-- The view's present rows under these keys. Times beyond what most programs can hold become the first or last they can,
-- as the extract brings them.
select article_id, title, summary, category, publisher, language, word_count, is_flagged,
       case when published_at is not null then least(greatest(published_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as published_at,
       case when ingested_at is not null then least(greatest(ingested_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as ingested_at,
       case when updated_at is not null then least(greatest(updated_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as updated_at
from {articles}
where article_id = any(%(keys)s) and (published_at < %(window_end)s or published_at is null)
