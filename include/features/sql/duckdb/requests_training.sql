-- The requests of training: the readers with an outcome in the step after a moment.
select distinct o.reader_id, o.list_at from outcomes o order by o.list_at, o.reader_id
