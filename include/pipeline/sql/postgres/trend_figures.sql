-- The figures of the last moments up to one, oldest first.
select table_name, column_name, measure, as_of, value
from ops.profiles
where measure in ('rows', 'mean', 'null_share') and as_of in (
    select distinct as_of from ops.profiles where as_of <= %(as_of)s order by as_of desc limit %(runs)s)
order by table_name, column_name, measure, as_of
