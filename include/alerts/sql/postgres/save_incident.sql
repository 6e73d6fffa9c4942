update ops.incidents
set severity = %(severity)s, trouble = %(trouble)s, last_at = %(last_at)s, recovered_at = %(recovered_at)s,
    recovered_by = %(recovered_by)s,
    closed_at = %(closed_at)s, returns = %(returns)s, mailed = %(mailed)s,
    acknowledged_at = %(acknowledged_at)s, acknowledged_by = %(acknowledged_by)s
where incident_id = %(incident_id)s
