-- How many signed up on each day, and what is known of them: a sum of hashes, for the order of rows says nothing.
select strftime(s.signed_up_at, '%Y-%m-%d') as signed_up_on, count(*), sum(hash(s)::hugeint)
from subscribers s
group by signed_up_on
