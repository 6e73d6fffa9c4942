-- The greatest age that lists reached while they were live between two moments.
select max(least(gone_at, %(until)s) - as_of)
from (select as_of, published_at, lead(published_at, 1, %(until)s) over (order by published_at) as gone_at
      from recs.batches where published_at is not null) live
where published_at < %(until)s and gone_at > %(since)s
