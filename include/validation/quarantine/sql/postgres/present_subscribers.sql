-- The view's present rows under these keys. Times beyond what most programs can hold become the first or last they can,
-- as the extract brings them.
select reader_id, region, plan, interests,
       case when signed_up_at is not null then least(greatest(signed_up_at, timestamptz '0001-01-01 00:00Z'),
                                           timestamptz '9999-12-31 23:59:59.999999Z') end as signed_up_at
from {subscribers}
where reader_id = any(%(keys)s) and (signed_up_at < %(window_end)s or signed_up_at is null)
