-- Attach the filled table as a partition. Analyze it now, because the audit and the first readers come before autovacuum.
-- Drop an earlier try last, because the drop locks out readers of the live lists until this transaction ends.
set local maintenance_work_mem = '256MB';
alter table {draft} add primary key (batch_id, reader_id, rank);
analyze {draft};
drop table if exists {partition};
alter table {draft} rename to {name};
alter table recs.recommendations attach partition {partition} for values in ({batch_id});
