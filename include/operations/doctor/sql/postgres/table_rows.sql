select max(reltuples) from pg_class where relname = %s and relkind in ('r', 'p', 'm')
