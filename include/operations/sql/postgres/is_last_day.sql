-- Whether no run of the same backfill works as of a later moment.
select not exists (
    select from dag_run own
    join backfill_dag_run other on other.backfill_id = own.backfill_id
    where own.dag_id = %(dag_id)s and own.run_id = %(run_id)s
      and other.dag_run_id is not null and other.logical_date > own.logical_date)
