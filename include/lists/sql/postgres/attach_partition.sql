-- The filled table becomes a partition. Statistics at once, for the audit and the first readers come before autovacuum.
-- What an earlier try left goes last, for dropping it locks out readers of the live lists until this transaction ends.
set local maintenance_work_mem = '256MB';
alter table {draft} add primary key (batch_id, reader_id, rank);
analyze {draft};
drop table if exists {partition};
alter table {draft} rename to {name};
alter table recs.recommendations attach partition {partition} for values in ({batch_id});
