-- Backfills of the loop that ended since a moment, and of whose runs none goes on.
select id from backfill b
where completed_at >= %(since)s and dag_id in ('retrain', 'recommend', 'monitor')
  and exists (select from backfill_dag_run d where d.backfill_id = b.id)
  and not exists (select from dag_run r where r.backfill_id = b.id and r.state in ('queued', 'running'))
order by id
