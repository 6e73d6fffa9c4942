select sentence from ops.late_rows order by measured_at desc limit 1
