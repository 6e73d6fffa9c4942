select distinct kind, id, name from names order by kind, id, name
