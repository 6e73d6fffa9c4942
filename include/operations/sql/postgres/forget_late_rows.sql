delete from ops.late_rows where measured_at >= %(since)s
