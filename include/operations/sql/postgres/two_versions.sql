-- Two versions with what they learnt from: rows by table of their snapshot, null where the record has none.
select m.version, m.model, m.as_of, m.registered_at, m.trained_until, m.snapshot_id, m.feature_version,
       m.mlflow_run_id, s.window_start,
       (select jsonb_object_agg(d.table_name, d.rows) from (
           select table_name, sum(row_count) as rows from ops.snapshot_days
           where snapshot_id = m.snapshot_id group by table_name) d) as rows
from ops.models m
left join ops.snapshots s using (snapshot_id)
where m.version = any(%(versions)s)
