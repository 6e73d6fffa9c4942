-- The articles that the asked readers read for the first time in the step after the moment, with seconds where known.
select q.reader_id, q.list_at, f.article_id,
       sum(round(1000 * e.dwell_seconds)::bigint) filter (where e.kind = 'read')::double / 1000 as seconds
from requests q
join first_reads f on f.reader_id = q.reader_id and f.read_at >= q.list_at and f.read_at < q.list_at + $every
left join session_source e on e.reader_id = f.reader_id and e.article_id = f.article_id
group by all
order by q.list_at, q.reader_id, f.article_id
