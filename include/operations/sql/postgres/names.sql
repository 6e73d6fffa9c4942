-- The names of readers or articles in a loaded log whose ids are text; our ids are made from them.
select id, name
from loaded.names
where kind = %(kind)s and (id = any(%(ids)s::bigint[]) or name = any(%(names)s::text[]))
