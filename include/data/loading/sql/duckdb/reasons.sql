-- The most frequent faults of a section, grouped by reason without the quoted value, each with its first example.
select count(*) as rows, first(file order by file, line), first(line order by file, line), first(reason order by file, line)
from rejects
where section = $section
group by regexp_replace(reason, '"[^"]*"', '', 'g')
order by rows desc, 4
limit $most
