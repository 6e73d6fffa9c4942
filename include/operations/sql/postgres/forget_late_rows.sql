delete from ops.late_rows
where measured_at >= %(since)s and snapshot_id in (select reference ->> 'id' from ops.runs where run_id like %(runs)s)
