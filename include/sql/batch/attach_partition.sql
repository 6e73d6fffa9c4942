-- The filled table becomes a partition. Statistics at once, for the audit and the first readers come before autovacuum.
set local maintenance_work_mem = '256MB';
alter table {partition} add primary key (batch_id, reader_id, rank);
alter table recs.recommendations attach partition {partition} for values in ({batch_id});
analyze {partition};
