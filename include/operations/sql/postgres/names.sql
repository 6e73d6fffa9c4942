-- What a loaded log calls its readers or articles, where their ids are text and ours are made from them.
select id, name
from loaded.names
where kind = %(kind)s and (id = any(%(ids)s::bigint[]) or name = any(%(names)s::text[]))
