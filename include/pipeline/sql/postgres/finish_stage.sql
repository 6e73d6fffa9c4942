update ops.runs
set status = %(status)s, finished_at = %(finished_at)s,
    seconds = extract(epoch from %(finished_at)s - started_at), peak_mb = %(peak_mb)s,
    cpu_seconds = %(cpu_seconds)s,
    reference = %(reference)s, error = %(error)s
where run_id = %(run_id)s and stage = %(stage)s
