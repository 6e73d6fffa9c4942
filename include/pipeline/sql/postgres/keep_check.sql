insert into ops.checks (run_id, stage, subject, code, title, severity, outcome, observed, limit_is, sentence)
values (%(run_id)s, %(stage)s, %(subject)s, %(code)s, %(title)s, %(severity)s, %(outcome)s, %(observed)s, %(limit_is)s,
        %(sentence)s)
