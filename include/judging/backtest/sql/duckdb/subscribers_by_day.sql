-- The number of sign-ups by day with a sum of their rows' hashes, because the order of rows is undefined.
select strftime(s.signed_up_at, '%Y-%m-%d') as signed_up_on, count(*), sum(hash(s)::hugeint)
from subscribers s
group by signed_up_on
