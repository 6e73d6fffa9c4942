-- The language that most readers of a region read in.
with counted as (
    select region, languages[1] as name, count(*) as requests
    from readers
    where languages is not null and region is not null
    group by all
)
select region, name as language
from counted
qualify row_number() over (partition by region order by requests desc, name) = 1
order by region
